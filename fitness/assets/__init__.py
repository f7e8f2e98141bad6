"""The small models of the embedded tier: corpus, architecture, the scripts that train them, their weights."""
