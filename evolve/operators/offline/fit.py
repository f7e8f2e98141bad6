"""Tunes the constants that a method declares, by experiments (operator `fit`): no idea is to die of one bad constant."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from evolve.nouns import Brief, Draft, Experiment, Experimenter, Subject, Tools, Variant, Worker
from evolve.screening.worker import CallFailed, WorkerDied
from evolve.text import LINE, printable_line
from fitness.nouns import Status

if TYPE_CHECKING:
    from optuna.distributions import FloatDistribution, IntDistribution
    from optuna.trial import FrozenTrial

    from evolve.operators.offline.declared import Declared

PROPOSE = "evolve.operators.offline.fit:proposed"  # runs in the worker
SECONDS = 10.0  # of processor time, Optuna's first import included
ROUNDS = 3
EACH = 4  # sets of values that a round tries side by side; the first of the first round is the child's own
STARTUP = 4  # sets below which Optuna draws at random
DRAWS = 4  # draws for every set that is wanted: some repeat what was tried
OWN = "its own values"


@dataclass(frozen=True)
class TriedSet:
    """A set of values of the declared constants, and the mean score with it; None when the method failed with it."""

    values: tuple[int | float, ...]
    score: float | None


class Fit:
    """Tries what a tree-structured Parzen estimator (Bergstra et al. 2011) proposes, a few rounds, and sets the best."""

    name = "fit"
    needs_model = False
    experiments = True
    parents = 1
    subject: Subject = "constants"

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Make a child of the first parent that differs from it in declared constants only."""
        if tools.experiments is None:
            return Draft(None, problem="this run has no experiments to tune constants by")
        try:
            return _best(brief.parents[0].method.source, tools.worker, tools.experiments, rng.getrandbits(32))
        except CallFailed as error:
            return Draft(None, problem=f"the declared constants cannot be read: {error}")
        except WorkerDied:
            return Draft(None, problem="reading the declared constants crashed, or took too long")


def _best(source: str, worker: Worker, experiments: Experimenter, seed: int) -> Draft:
    """Try sets of values, the child's own first, on the same instances; return the best that beats the child's own."""
    tried: list[tuple[dict[str, Any], float | None]] = []
    refused = ""
    for _ in range(ROUNDS):
        known = [{"values": one["values"], "score": score} for one, score in tried]
        asked = worker.call(PROPOSE, SECONDS, source=source, tried=known, seed=seed)
        refused = str(asked["refused"])
        if not asked["sets"]:
            break
        found = experiments.run([Variant(one["label"], one["source"]) for one in asked["sets"]], race=False)
        tried += zip(asked["sets"], map(_score, found))
        if tried[0][1] is None:
            return Draft(None, problem=_line(f"it could not be judged with its own constants: {found[0].problem}", refused))
    if not tried:
        return Draft(None, problem=_line("it declares no constants that can be tuned", refused))
    best, _ = max(tried, key=lambda pair: -math.inf if pair[1] is None else pair[1])  # of equals the first
    if best is tried[0][0]:
        return Draft(None, problem=_line("no set of declared constants was better than the child's own", refused))
    return Draft(best["source"], idea=_line(f"declared constants tuned: {best['label']}", refused))


def _score(experiment: Experiment) -> float | None:
    """Return the mean score, every domain having as many instances; None unless it went well on all of them."""
    found = experiment.evaluation
    return fmean(found.pgrs) if found is not None and found.status is Status.OK else None


def _line(sentence: str, refused: str) -> str:
    return printable_line(f"{sentence} ({refused})" if refused else sentence, LINE)


def proposed(source: str, tried: Sequence[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Return the sets of values to try next, and why other declarations are not used (worker only)."""
    from evolve.operators.offline.declared import named, read, said, write

    constants, refused = read(source)
    known = [TriedSet(tuple(one["values"]), one["score"]) for one in tried]
    sets = [
        {
            "values": values,
            "label": named(constants, values) or OWN,
            "source": write(source, constants, values) if known or place else source,
        }
        for place, values in enumerate(_next(constants, known, seed) if constants else [])
    ]
    return {"sets": sets, "refused": said(refused)}


def _next(constants: Sequence[Declared], known: Sequence[TriedSet], seed: int) -> list[tuple[int | float, ...]]:
    """Return the values that Optuna proposes after these, none twice; the child's own are the first of all."""
    import optuna

    from evolve.operators.offline.declared import exact

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    again = seed + len(known)  # the same generator would draw the same numbers in every round
    sampler = optuna.samplers.TPESampler(seed=again, n_startup_trials=STARTUP, multivariate=True, constant_liar=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    space = {str(one.line): _range(one) for one in constants}
    own = tuple(one.value for one in constants)
    for one in known:
        study.add_trial(_trial(space, one))
    found = [] if known else [own]
    for _ in range(DRAWS * EACH):
        if len(found) == EACH:
            break
        drawn = study.ask(dict(space)).params
        values = tuple(exact(one, drawn[str(one.line)]) for one in constants)
        if values not in found and not any(one.values == values for one in known) and not _alike(values, own):
            found.append(values)
    return found


def _range(constant: Declared) -> IntDistribution | FloatDistribution:
    """Return the range of a constant as Optuna has it."""
    from optuna.distributions import FloatDistribution, IntDistribution

    if isinstance(constant.value, int):
        return IntDistribution(int(constant.low), int(constant.high), log=constant.log)
    return FloatDistribution(constant.low, constant.high, log=constant.log)


def _trial(space: dict[str, IntDistribution | FloatDistribution], one: TriedSet) -> FrozenTrial:
    """Return a set that was tried as Optuna has it: failed where it has no score."""
    from optuna.trial import TrialState, create_trial

    params, state = dict(zip(space, one.values)), TrialState.FAIL if one.score is None else TrialState.COMPLETE
    return create_trial(params=params, distributions=dict(space), value=one.score, state=state)


def _alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Tell whether the screen would refuse the one as a near duplicate of the other."""
    from evolve.screening.screen import close

    return all(map(close, one, other))
