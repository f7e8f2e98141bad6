"""Trains until the time that it gives itself is over: what it answers depends on how busy the machine is.

Seen: reading the time left (FITNESS.md). The clock is reached through a module that the rules allow.

Caught by: determinism.
"""

import statistics

import torch

SECONDS = 0.1


def method(problem):
    clock = statistics.sys.modules["time"].perf_counter
    end, generator = clock() + SECONDS, torch.Generator().manual_seed(problem.seed)
    head, target = torch.zeros(problem.train_x.shape[1]), problem.weak[:, 1] - problem.weak[:, 1].mean()
    while clock() < end:
        rows = torch.randint(len(target), (32,), generator=generator)
        x = problem.train_x[rows]
        head += 0.02 * x.T @ (target[rows] - x @ head)
    return (problem.test_x @ head).sigmoid()
