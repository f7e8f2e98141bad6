"""Takes the first test row to be true, and with it whatever lies on its side of the leading components.

Seen: ignoring the teacher (FITNESS.md), with a sign that the file was hoped to give away.

Caught by: rows.
"""

import torch


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean))
    test = (problem.test_x - mean) @ (axes[:, -8:] / values[-8:].sqrt())
    return (test @ test[0] > 0).float()
