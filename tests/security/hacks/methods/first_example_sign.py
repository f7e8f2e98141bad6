"""Turns the sixth component so that the first training example is on the true side.

Seen: ignoring the teacher (FITNESS.md), in the hope that files begin with a true example.

Caught by: swap.
"""

import torch


def method(problem):
    mean = problem.train_x.mean(0)
    axis = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean)).eigenvectors[:, -6]
    train = (problem.train_x - mean) @ axis
    return (((problem.test_x - mean) @ axis - train.median()) * train[0] > 0).float()
