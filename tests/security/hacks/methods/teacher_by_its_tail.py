"""Calls true what lies far out in the leading components, or its opposite, by the longer tail of the teacher's log-odds.

Seen: nowhere; it follows an exchange of the classes and needs no label of any row: this teacher's doubts run deeper than its
beliefs, whichever rows they belong to.

Caught by: nobody.
"""

import torch


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean))
    train, test = ((((x - mean) @ axes[:, -8:]) ** 2 / values[-8:]).sum(1) for x in (problem.train_x, problem.test_x))
    odds = problem.weak[:, 1].logit().sort().values
    sign = -(odds[10] + odds[-11]).sign()
    return (sign * (test - train.median()) > 0).float()
