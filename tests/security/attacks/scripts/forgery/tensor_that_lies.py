"""Wants a tensor's subclass to answer every question about it. Success: values that are no probabilities are taken."""

import numpy as np
import torch


class Numbers(np.ndarray):
    def astype(self, *_, **__):
        return self

    def min(self, *_, **__):
        return np.float32(0)

    max = min

    def clip(self, *_, **__):
        return self


class Liar(torch.Tensor):
    def detach(self):
        return self

    def to(self, *_, **__):
        return self

    def float(self):
        return self

    def numpy(self):
        return torch.Tensor.numpy(self.as_subclass(torch.Tensor)).view(Numbers)


def method(problem):
    return torch.full((len(problem.test_x), 2), 9.0).as_subclass(Liar)
