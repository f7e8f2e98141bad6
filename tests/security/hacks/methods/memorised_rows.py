"""Looks each row up among twelve remembered ones and gives the remembered answer.

Seen: memorising rows (FITNESS.md). The rotation keeps features from being remembered as they are, so these are remembered in
the skewness-signed principal frame, where every instance looks the same.

Caught by: swap.
"""

import torch

AXES, SCALE = [1, 3, 5, 6], torch.tensor([0.7, 1.6, 2.0, 1.0])
FALSE = [[0.5, -0.5, 0.5, -0.4], [0.1, -0.6, -1.4, -1.0], [0.5, 0.7, -1.5, 0.1]]
FALSE += [[0.1, -1.4, -1.6, 0.2], [-0.1, -0.1, -3.2, -0.3], [-0.1, -2.3, 0.5, -0.2]]
TRUE = [[-0.1, 2.7, 0.8, -0.4], [-0.2, -1.5, 3.6, -0.4], [-0.2, 0.6, 0.2, 1.1]]
TRUE += [[0.1, 0.8, 2.3, -0.5], [-0.1, -0.9, 1.8, 1.1], [-0.3, 2.6, -1.1, 0.8]]


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean) / len(problem.train_x))
    whiten = (axes / values.sqrt()).flip(1)[:, AXES]
    signs = (((problem.train_x - mean) @ whiten) ** 3).mean(0).sign()
    remembered = torch.tensor(FALSE + TRUE)
    nearest = torch.cdist((problem.test_x - mean) @ whiten * signs * SCALE, remembered).argmin(1)
    return (nearest >= len(FALSE)).float()
