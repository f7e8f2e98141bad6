"""Eight constants fitted offline in the principal frame, each sign fixed by its component's skewness; no teacher.

Seen: the embedded-constants hack of FITNESS.md. Weights and generator are public, so anybody can draw instances with their
labels: these are a logistic regression's on fifteen chat instances of five other vaults (whitened components, true labels).

Caught by: gains.
"""

import torch

CONSTANTS = torch.tensor([-0.43, -1.10, 0.73, 3.08, -0.21, 4.10, 1.56, 0.23])


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean) / len(problem.train_x))
    whiten = (axes[:, -8:] / values[-8:].sqrt()).flip(1)
    skewness = (((problem.train_x - mean) @ whiten) ** 3).mean(0)
    return ((problem.test_x - mean) @ whiten @ (CONSTANTS * skewness.sign()) - 0.2).sigmoid()
