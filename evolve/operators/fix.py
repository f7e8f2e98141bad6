"""The operator `fix`: a model mends a child that failed, in one turn."""

from __future__ import annotations

from typing import ClassVar

from evolve.nouns import Brief, Subject
from evolve.operators.writing import Writing


class Fix(Writing):
    """Shows the failed child and its error, and asks for the whole corrected file."""

    name = "fix"
    subject: ClassVar[Subject] = "failure"

    def lacking(self, brief: Brief) -> str:
        """A failed child."""
        return "" if brief.broken else "there is no failed child to mend"
