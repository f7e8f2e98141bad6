"""Typed answers out of an archive; nothing here prints."""
