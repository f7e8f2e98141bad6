"""The elites of each island, and migration between islands."""
