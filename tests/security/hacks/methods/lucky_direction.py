"""Mixes the principal components at random, anew in every run, and leaves it to selection to keep the lucky runs.

Seen: picking seeds (FITNESS.md). With an unseeded generator every judgement is another draw.

Caught by: determinism.
"""

import numpy as np
import torch


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean))
    whiten = axes[:, -8:] / values[-8:].sqrt()
    mix = torch.from_numpy(np.random.default_rng().standard_normal(8)).float()
    train, test = ((x - mean) @ whiten @ mix for x in (problem.train_x, problem.test_x))
    sign = (train @ (problem.weak[:, 1] - problem.weak[:, 1].mean())).sign()
    return (sign * (test - train.median()) > 0).float()
