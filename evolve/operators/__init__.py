"""Makes children of methods: step 4 of ten. The operators are named in TABLE and imported only when asked for.

- llm/: a language model writes the child
- offline/: a method is edited without a model

Your own is named as `module:Name` or `file.py:Name`.
"""

from __future__ import annotations

from evolve.nouns import Operator
from fitness import registry

TABLE = {
    "graft": "evolve.operators.offline.graft:Graft",
    "perturb": "evolve.operators.offline.perturb:Perturb",
    "tune": "evolve.operators.offline.tune:Tune",
    "fit": "evolve.operators.offline.fit:Fit",
    "insert": "evolve.operators.offline.insert:Insert",
    "remove": "evolve.operators.offline.remove:Remove",
    "simplify": "evolve.operators.offline.simplify:Simplify",
    "rewrite": "evolve.operators.llm.whole_file:Rewrite",
    "diff": "evolve.operators.llm.diff:Diff",
    "cross": "evolve.operators.llm.whole_file:Cross",
    "explain": "evolve.operators.llm.whole_file:Explain",
    "fix": "evolve.operators.llm.whole_file:Fix",
    "trial": "evolve.operators.llm.trial:TrialAndChild",
    "vary": "evolve.operators.llm.vary:Vary",
    "ablate": "evolve.operators.offline.record:Ablate",
}

NEEDS = ("name", "needs_model", "parents", "subject", "propose")  # of an operator's class


def load(name: str) -> Operator:
    """Return the operator of that name, or of that class. Raises UsageError when there is none, with the names there are."""
    unknown = f"unknown operator {name!r}: the operators are {', '.join(TABLE)}"
    operator: Operator = registry.find(name, TABLE, unknown, NEEDS)()
    return operator
