"""The operator `cross`: a model combines what works in two parents."""

from __future__ import annotations

from evolve.nouns import Brief
from evolve.operators.writing import Writing


class Cross(Writing):
    """Asks for one method that takes a mechanism of each parent."""

    name = "cross"
    parents = 2

    def lacking(self, brief: Brief) -> str:
        """Two parents."""
        return "" if len(brief.parents) > 1 else "there is no second parent to cross with"
