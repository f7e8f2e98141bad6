"""Takes its principal components from training and test rows together.

Seen: preprocessing fitted before the split, a leak that Kaufman et al. (2012) find all over published work.

Caught by: rows.
"""

import torch


def method(problem):
    rows = torch.cat([problem.train_x, problem.test_x])
    rows = rows - rows.mean(0)
    values, axes = torch.linalg.eigh(rows.T @ rows / len(rows))
    train, test = (rows @ (axes[:, -8:] / values[-8:].sqrt())).split([len(problem.train_x), len(problem.test_x)])
    pull = train.T @ (problem.weak[:, 1] - problem.weak[:, 1].mean())
    return (4 * (test @ pull) / (train @ pull).std()).sigmoid()
