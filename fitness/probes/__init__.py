"""Reward-hack probes: what holds for every honest method, tried on changed problems."""
