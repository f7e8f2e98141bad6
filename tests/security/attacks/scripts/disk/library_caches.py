"""Wants the libraries to write for it: torch, numpy and tempfile. Success: a file that they made."""

import os
import tempfile

import numpy as np
import torch
from outside import HOME, MARK, attempt


def method(problem):
    def save():
        ways = (
            lambda: torch.save(torch.ones(9), os.path.join(HOME, f"{MARK}.pt")),
            lambda: np.save(os.path.join(HOME, f"{MARK}.npy"), np.ones(9)),
            lambda: tempfile.mkstemp(prefix=MARK, dir=HOME),
            lambda: tempfile.mkdtemp(prefix=MARK),
        )
        for way in ways:
            try:
                return way()
            except (OSError, RuntimeError):
                continue
        return False

    return attempt(problem, save)
