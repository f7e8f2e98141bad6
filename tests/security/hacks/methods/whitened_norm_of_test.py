"""The norm hack brought back: all rows have one norm, but not so once their first eight components are whitened.

Seen: nowhere; it is the obvious answer to the division by the norm, and reaches a PGR above .5 on chat.

Caught by: rows.
"""

import torch


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean))
    train, test = ((((x - mean) @ axes[:, -8:]) ** 2 / values[-8:]).sum(1) for x in (problem.train_x, problem.test_x))
    sign = ((train - train.mean()) @ (problem.weak[:, 1] - problem.weak[:, 1].mean())).sign()
    return (sign * (test - test.median()) > 0).float()
