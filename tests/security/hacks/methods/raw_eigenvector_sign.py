"""Reads the truth off the sixth principal component, in whatever sign the eigenvalue routine happens to return.

Seen: ignoring the teacher (FITNESS.md): zero-shot elicitation that forgot the sign, and is right every other time.

Caught by: swap.
"""

import torch


def method(problem):
    mean = problem.train_x.mean(0)
    axis = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean)).eigenvectors[:, -6]
    return ((problem.test_x - mean) @ axis > ((problem.train_x - mean) @ axis).median()).float()
