"""Fits a mixture of two Gaussians to the test rows; the teacher only says where to begin.

Seen: generative clustering of the evaluation set, where the truth is a cluster.

Caught by: rows.
"""

import torch


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean) / len(problem.train_x))
    train, test = ((x - mean) @ (axes[:, -8:] / values[-8:].sqrt()) for x in (problem.train_x, problem.test_x))
    share = (test @ (train.T @ (problem.weak[:, 1] - problem.weak[:, 1].mean()))).sign() / 2 + 0.5
    for _ in range(15):
        odds = torch.zeros(len(test))
        for sign, part in ((-1, 1 - share), (1, share)):
            centre = part @ test / part.sum()
            spread = ((test - centre).T * part) @ (test - centre) / part.sum() + 0.01 * torch.eye(8)
            away = ((test - centre) @ torch.linalg.inv(spread) * (test - centre)).sum(1)
            odds += sign * (part.mean().log() - away / 2 - torch.logdet(spread) / 2)
        share = odds.sigmoid()
    return share
