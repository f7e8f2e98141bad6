"""The embedded constants with one bit from the teacher: which of the two sides is true.

Seen: FITNESS.md again; a shuffle of the teacher's labels finds little to shuffle, for one bit is all that it gives.

Caught by: gains.
"""

import torch

CONSTANTS = torch.tensor([-0.43, -1.10, 0.73, 3.08, -0.21, 4.10, 1.56, 0.23])


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean) / len(problem.train_x))
    whiten = (axes[:, -8:] / values[-8:].sqrt()).flip(1)
    skewness = (((problem.train_x - mean) @ whiten) ** 3).mean(0)
    direction = whiten @ (CONSTANTS * skewness.sign())
    scores = (problem.train_x - mean) @ direction
    sign = (scores @ (problem.weak[:, 1] - problem.weak[:, 1].mean())).sign()
    return (sign * ((problem.test_x - mean) @ direction - scores.median())).sigmoid()
