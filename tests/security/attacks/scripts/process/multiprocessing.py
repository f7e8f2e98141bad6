"""Wants a pool of workers. Success: a process other than its own answered."""

import multiprocessing
import os

from outside import attempt


def method(problem):
    def pool():
        with multiprocessing.get_context("fork").Pool(1) as workers:
            return workers.apply(os.getpid) != os.getpid()

    return attempt(problem, pool)
