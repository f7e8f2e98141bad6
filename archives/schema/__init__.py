"""The schema of the archive and its migrations."""
