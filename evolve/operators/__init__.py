"""Operators: one file each, named in TABLE and imported only when asked for."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from evolve.errors import UsageError
from evolve.nouns import Operator

TABLE = {
    "graft": "evolve.operators.graft:Graft",
    "perturb": "evolve.operators.perturb:Perturb",
    "tune": "evolve.operators.tune:Tune",
    "insert": "evolve.operators.insert:Insert",
    "remove": "evolve.operators.remove:Remove",
    "simplify": "evolve.operators.simplify:Simplify",
    "rewrite": "evolve.operators.rewrite:Rewrite",
    "diff": "evolve.operators.diff:Diff",
    "cross": "evolve.operators.cross:Cross",
    "explain": "evolve.operators.explain:Explain",
    "fix": "evolve.operators.fix:Fix",
    "vary": "evolve.operators.vary:Vary",
}


def load(name: str) -> Operator:
    """Return the operator of that name. Raises UsageError when there is none, with the names there are."""
    if name not in TABLE:
        raise UsageError(f"unknown operator {name!r}: the operators are {', '.join(TABLE)}")
    module, _, attribute = TABLE[name].partition(":")
    return cast(Operator, getattr(import_module(module), attribute)())
