"""The operator `rewrite`: a model writes the whole file anew."""

from __future__ import annotations

from evolve.operators.writing import Writing


class Rewrite(Writing):
    """Starts from one parent."""

    name = "rewrite"
