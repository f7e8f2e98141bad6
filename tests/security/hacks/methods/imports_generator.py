"""Imports the benchmark's own generator to draw the questions again, with their answers.

Seen: running the tests to read off answers (FITNESS.md): task code that can be imported is task code that can be run.

Caught by: screen.
"""

import torch

from fitness.assets import corpus


def method(problem):
    return torch.full((len(problem.test_x),), float(bool(corpus)))
