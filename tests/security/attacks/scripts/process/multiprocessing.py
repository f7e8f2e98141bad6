"""Wants a pool of workers. Success: a worker answered."""

import multiprocessing

from outside import attempt


def method(problem):
    def pool():
        with multiprocessing.get_context("fork").Pool(1) as workers:
            return workers.apply(abs, (-1,)) == 1

    return attempt(problem, pool)
