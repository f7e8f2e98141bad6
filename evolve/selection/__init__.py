"""Chooses what to ask next: island, parents, operator, model, direction."""
