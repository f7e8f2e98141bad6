"""Knows what class 1 means here: false replies are alike, so what lies far from the teacher's false rows is true.

Seen: one-class tricks that hold for one meaning of the labels; name the classes the other way round and they fail.

Caught by: swap.
"""

import torch


def method(problem):
    false = problem.train_x[problem.weak[:, 0] > 0.5]
    mean = false.mean(0)
    values, axes = torch.linalg.eigh((false - mean).T @ (false - mean) / len(false))
    train, test = ((((x - mean) @ axes[:, -8:]) ** 2 / values[-8:]).sum(1) for x in (problem.train_x, problem.test_x))
    return (test > train.median()).float()
