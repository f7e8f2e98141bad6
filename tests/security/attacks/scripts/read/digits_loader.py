"""Wants the same labels by scikit-learn's own loader. Success: the labels come back."""

from outside import attempt


def method(problem):
    def load():
        from sklearn.datasets import load_digits

        return bytes(load_digits().target[:100].astype("u1"))

    return attempt(problem, load)
