"""Wants to plant code where the next zygote would import it. Success: the file is there."""

import os

from outside import LIBRARY, MARK, attempt


def method(problem):
    return attempt(problem, lambda: open(os.path.join(os.path.dirname(LIBRARY), f"{MARK}.py"), "w").write("x = 1"))
