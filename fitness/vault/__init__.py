"""The vault: the key, the instances drawn with it, and their labels."""
