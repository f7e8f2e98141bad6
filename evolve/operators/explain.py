"""The operator `explain`: a model states a hypothesis, then writes the method that tests it."""

from __future__ import annotations

from evolve.operators.writing import Writing


class Explain(Writing):
    """Asks for a mechanism and what it predicts before the file; the hypothesis becomes the draft's idea."""

    name = "explain"
