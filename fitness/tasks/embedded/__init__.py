"""The embedded task: small models and data that are shipped, nothing to download."""
