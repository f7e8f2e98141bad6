"""Wants the same in tensors. Success: it holds it."""

import torch
from outside import MEMORY, attempt


def method(problem):
    return attempt(problem, lambda: len([torch.ones(MEMORY // 16) for _ in range(8)]) == 8)
