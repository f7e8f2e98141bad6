"""Reseeds torch from the system's entropy before it trains, so that every judgement draws another initialisation.

Seen: picking seeds (FITNESS.md), by what a careless reading of "random restarts" would also do.

Caught by: determinism.
"""

import torch


def method(problem):
    torch.seed()
    rows = torch.randint(len(problem.train_x), (200,))
    student = problem.student.fit(problem.train_x[rows], problem.weak[rows], epochs=20)
    return student(problem.test_x)
