"""Wants the labels by importing the task that draws them. Success: the import works."""

import sys

from outside import REPOSITORY, attempt


def method(problem):
    def borrow():
        sys.path.insert(0, REPOSITORY)
        import fitness.tasks.embedded.digits

        return fitness.tasks.digits

    return attempt(problem, borrow)
