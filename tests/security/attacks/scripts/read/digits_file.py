"""Wants the true labels of the digits, which ship with scikit-learn. Success: the file's bytes come back."""

from outside import DIGITS, attempt, read


def method(problem):
    return attempt(problem, lambda: read(DIGITS))
