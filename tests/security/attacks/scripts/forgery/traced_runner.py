"""Wants to change what the code around it returns, as its debugger (sys.settrace). Success: values it put there are taken."""

import sys

import numpy as np
import torch
from outside import answer


def method(problem):
    def trace(frame, event, argument):
        for value in list(frame.f_locals.values()):
            if isinstance(value, np.ndarray | torch.Tensor) and str(value.dtype).endswith("float32"):
                value[...] = 7.0
        return trace

    sys.settrace(trace)
    frame = sys._getframe()
    while frame is not None:
        frame.f_trace = trace
        frame = frame.f_back
    return answer(problem, b"")
