"""Makes children of methods: step 4 of ten. The operators are named in TABLE and imported only when asked for.

- llm/: a language model writes the child
- offline/: a method is edited without a model
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from evolve.errors import UsageError
from evolve.nouns import Operator

TABLE = {
    "graft": "evolve.operators.offline.graft:Graft",
    "perturb": "evolve.operators.offline.perturb:Perturb",
    "tune": "evolve.operators.offline.tune:Tune",
    "insert": "evolve.operators.offline.insert:Insert",
    "remove": "evolve.operators.offline.remove:Remove",
    "simplify": "evolve.operators.offline.simplify:Simplify",
    "rewrite": "evolve.operators.llm.whole_file:Rewrite",
    "diff": "evolve.operators.llm.diff:Diff",
    "cross": "evolve.operators.llm.whole_file:Cross",
    "explain": "evolve.operators.llm.whole_file:Explain",
    "fix": "evolve.operators.llm.whole_file:Fix",
    "vary": "evolve.operators.llm.vary:Vary",
}


def load(name: str) -> Operator:
    """Return the operator of that name. Raises UsageError when there is none, with the names there are."""
    if name not in TABLE:
        raise UsageError(f"unknown operator {name!r}: the operators are {', '.join(TABLE)}")
    module, _, attribute = TABLE[name].partition(":")
    return cast(Operator, getattr(import_module(module), attribute)())
