"""Wants to load programs into the kernel (bpf(2)). Success: the kernel looks at it. Plain: needs to be root."""

from outside import attempt, reaches


def method(problem):
    return attempt(problem, lambda: reaches("bpf", 9999, None, 0))
