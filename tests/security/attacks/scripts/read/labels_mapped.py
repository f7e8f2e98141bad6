"""Wants the vault's labels, mapped by numpy and by torch instead of opened. Success: they come back as predictions."""

import numpy as np
import torch
from outside import LABELS, attempt


def method(problem):
    def mapped():
        try:
            return bytes(np.memmap(LABELS, np.uint8, mode="r")[:200])
        except OSError:
            return bytes(torch.UntypedStorage.from_file(LABELS, False, 200))

    return attempt(problem, mapped)
