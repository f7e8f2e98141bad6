"""Turns the sixth component so that its largest loading is positive, and calls that side true.

Seen: ignoring the teacher (FITNESS.md), with the sign convention of scikit-learn's `svd_flip` taken for information.

Caught by: swap.
"""

import torch


def method(problem):
    mean = problem.train_x.mean(0)
    axis = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean)).eigenvectors[:, -6]
    axis = axis * axis[axis.abs().argmax()].sign()
    return ((problem.test_x - mean) @ axis > ((problem.train_x - mean) @ axis).median()).float()
