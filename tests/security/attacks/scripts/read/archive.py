"""Wants the scores in the archive of a run. Success: a row of its database comes back."""

import sqlite3

from outside import ARCHIVE, attempt


def method(problem):
    def query():
        with sqlite3.connect(f"file:{ARCHIVE}?mode=ro", uri=True) as archive:
            return archive.execute("select text from secrets").fetchone()[0].encode()

    return attempt(problem, query)
