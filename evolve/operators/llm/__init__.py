"""Operators in which a language model writes the child."""
