"""Wants the same labels as a resource of the package, read by the import machinery. Success: the file's bytes come back."""

from importlib import resources

from outside import attempt


def method(problem):
    return attempt(problem, lambda: (resources.files("sklearn.datasets.data") / "digits.csv.gz").read_bytes()[:200])
