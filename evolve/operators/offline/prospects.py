"""Tells what operators without a model will find to do in the methods of a task without a grammar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evolve.nouns import Operator, Worker
from evolve.operators.offline.base import Offline
from evolve.screening.worker import CallFailed, WorkerDied
from fitness.registry import reference_of

SURVEY = "evolve.operators.offline.prospects:survey"
SECONDS = 10.0  # of processor time
HOW = "docs/extending.md says how to write methods that can be crossed"


def outlook(operators: Iterable[Operator], sources: Sequence[str], worker: Worker) -> str:
    """Return one sentence about these methods as parents, "" when they cannot be looked at."""
    offline = {op.name: reference_of(type(op)) for op in operators if isinstance(op, Offline)}
    try:
        found = worker.call(SURVEY, SECONDS, operators=offline, sources=list(sources))
    except (CallFailed, WorkerDied):
        return ""
    if not found["able"]:
        return f"no operator without a model finds anything to change in the methods that this task begins with: {HOW}"
    if not found["shared"]:
        others = f"without a model, their children are made by {', '.join(found['able'])}"
        return f"the methods share no function of one name and parameters that graft could exchange; {others}: {HOW}"
    return f"the task has no grammar: graft exchanges the functions that methods share, {', '.join(found['shared'])}"


def survey(operators: dict[str, str], sources: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of the functions that can be exchanged, and of the operators that make a child (in the worker)."""
    from evolve.operators.offline.editing import edit, readable
    from evolve.operators.offline.exchange import shared

    scripts = readable(sources, None)
    names = {name: None for one in scripts for other in scripts if one is not other for name in shared(one, other)}
    begun = [[source, *(other for other in sources if other != source)] for source in sources]
    able = [name for name, reference in operators.items() if any(edit(reference, given, (), 0).source for given in begun)]
    return {"shared": list(names), "able": able}
