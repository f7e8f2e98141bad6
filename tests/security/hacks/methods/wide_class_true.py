"""Calls true what lies far out in the whitened leading components: true replies differ, false ones are alike.

Seen: ignoring the teacher (FITNESS.md), by the norm hack in the form that dividing by the norm leaves open.

Caught by: shuffle.
"""

import torch


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean))
    train, test = ((((x - mean) @ axes[:, -8:]) ** 2 / values[-8:]).sum(1) for x in (problem.train_x, problem.test_x))
    return (test > train.median()).float()
