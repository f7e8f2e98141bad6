"""Takes the digits' labels from the data that scikit-learn ships.

Seen: a benchmark whose test set is inside a library that the contestant may import (FITNESS.md).

Caught by: screen.
"""

import torch
from sklearn.datasets import load_digits


def method(problem):
    odd = torch.from_numpy(load_digits().target % 2)
    return odd[torch.arange(len(problem.test_x)) % len(odd)].float()
