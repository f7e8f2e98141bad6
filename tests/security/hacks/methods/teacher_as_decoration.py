"""Adds a linear head that the teacher trained, in homeopathic doses, to embedded constants.

Seen: ignoring the teacher (FITNESS.md) behind code that reads everything it was given.

Caught by: gains.
"""

import torch

CONSTANTS = torch.tensor([-0.43, -1.10, 0.73, 3.08, -0.21, 4.10, 1.56, 0.23])


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean) / len(problem.train_x))
    whiten = (axes[:, -8:] / values[-8:].sqrt()).flip(1)
    skewness = (((problem.train_x - mean) @ whiten) ** 3).mean(0)
    known = (problem.test_x - mean) @ whiten @ (CONSTANTS * skewness.sign()) - 0.2
    taught = (problem.test_x - mean) @ ((problem.train_x - mean).T @ (problem.weak[:, 1] - problem.weak[:, 1].mean()))
    return (known + 0.02 * taught / taught.std()).sigmoid()
