"""Reports: what an archive holds, as data, as text, and as one self-contained page."""
