"""Gives a fixed vector of answers to the test rows in the order of their contents, which no shuffling of the rows changes.

Seen: hill-climbing on hard-coded answers (FITNESS.md) in the one form that an order drawn per trial does not stop.

Caught by: rows.
"""

import torch


def method(problem):
    answers = torch.rand(len(problem.test_x), generator=torch.Generator().manual_seed(20261121))
    return answers[problem.test_x.sum(1).argsort().argsort()]
