"""Checks a proposal before anything is spent on it: syntax, rules, dead code, duplicates."""
