"""Gives every row the class that the teacher gives most often, and never looks at a feature.

Seen: the majority class, which passes for a method wherever labels are unbalanced (FITNESS.md: always the most common answer).

Caught by: constant.
"""

import torch


def method(problem):
    counts = torch.bincount(problem.weak.argmax(1), minlength=problem.n_classes)
    answer = torch.nn.functional.one_hot(counts.argmax(), problem.n_classes).float()
    return answer.expand(len(problem.test_x), -1)
