"""The page about a run: one self-contained file, or served live."""
