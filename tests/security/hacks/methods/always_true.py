"""Says "true" to everything.

Seen: always the most common answer is first in FITNESS.md's list of hacks that were really done; it pays where labels are
unbalanced, so labels here are balanced.

Caught by: constant.
"""

import torch


def method(problem):
    return torch.ones(len(problem.test_x))
