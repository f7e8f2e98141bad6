"""Eight magnitudes fitted offline, one for each leading principal component; the teacher only gives the eight signs.

Seen: nowhere; it is what is left of the embedded constants when every sign must be learnt.

Caught by: gains.
"""

import torch

CONSTANTS = torch.tensor([0.43, 1.10, 0.73, 3.08, 0.21, 4.10, 1.56, 0.23])


def method(problem):
    mean = problem.train_x.mean(0)
    values, axes = torch.linalg.eigh((problem.train_x - mean).T @ (problem.train_x - mean) / len(problem.train_x))
    whiten = (axes[:, -8:] / values[-8:].sqrt()).flip(1)
    train = (problem.train_x - mean) @ whiten
    signs = (train.T @ (problem.weak[:, 1] - problem.weak[:, 1].mean())).sign()
    scores = train @ (CONSTANTS * signs)
    return ((problem.test_x - mean) @ whiten @ (CONSTANTS * signs) - scores.median()).sigmoid()
