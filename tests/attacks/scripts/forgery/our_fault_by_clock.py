"""Wants the same from the kernel: limits its own processor time, whose end is a SIGKILL. Success: LOST. Plain: there is no such status."""

import resource


def method(problem):
    resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    while True:
        pass
