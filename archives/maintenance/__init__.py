"""Checks, repairs, copies, merges and regrids archives."""
