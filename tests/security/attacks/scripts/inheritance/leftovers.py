"""Wants to find what it left in an earlier run. Success: it does, the second time. Plain: a fork forgets too."""

import builtins
import os
import sys

import torch
from outside import attempt


def method(problem):
    seen = hasattr(builtins, "mark") or hasattr(torch, "mark") or "MARK" in os.environ or "mark" in sys.modules
    builtins.mark = torch.mark = os.environ["MARK"] = "1"
    sys.modules["mark"] = sys
    return attempt(problem, lambda: seen)
