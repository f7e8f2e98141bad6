"""evolve: an evolutionary search engine for weak-to-strong supervision methods."""

__version__ = "0.1.0"
