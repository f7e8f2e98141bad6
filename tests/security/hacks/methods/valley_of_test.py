"""Cuts the test rows where their own scores have the best two-way split.

Seen: Otsu's threshold (1979), chosen on the rows that are scored.

Caught by: rows.
"""

import torch


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean))
    whiten = axes[:, -8:] / values[-8:].sqrt()
    pull = ((problem.train_x - mean) @ whiten).T @ (problem.weak[:, 1] - problem.weak[:, 1].mean())
    scores = (problem.test_x - mean) @ whiten @ pull
    ordered = scores.sort().values
    below = torch.arange(1, len(ordered)) / len(ordered)
    gap = ordered.mean() * below - ordered.cumsum(0)[:-1] / len(ordered)
    return (scores > ordered[int((gap**2 / (below * (1 - below))).argmax())]).float()
