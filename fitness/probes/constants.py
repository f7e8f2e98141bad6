"""Tells constants that were fitted elsewhere: others in their place cost the gain, and so does a turned frame."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from statistics import fmean, variance

from fitness import pgr
from fitness.contracts.contract import Problem
from fitness.probes.examination import SEEDS, SLACK, WORTH, CanaryTouched, Examination, Reading, Run, Unanswered
from fitness.probes.frame import halves, turned

# That new seeds did not make the fall. It need not be more: two falls of half the PGR are asked for, on most instances.
CONFIDENCE = 0.95
_LARGE = threading.Lock()  # one frame at a time is turned: it takes 15 MB for a moment


def fitted_constants(examination: Examination) -> Reading:
    """Look for constants that were fitted elsewhere, in the frame of the principal components.

    A method that follows what stands out in the data is honest, and falls too when the components are turned round. What sets
    fitted constants apart is that they are written somewhere. So a method passes when its source has no place for them, or when
    it does as well with others in that place; only then is the frame turned, and only both falls together tell.
    """
    if examination.case.scrambled is None:
        return Reading(None, None, "the source was not read, so nobody knows whether it could hold fitted constants")
    if not examination.case.scrambled:
        return Reading(0.0, SLACK, "no place in the source could hold constants that were fitted elsewhere")
    if examination.real <= WORTH:
        return Reading(None, None, f"PGR {examination.real:.2f}: there is nothing that constants could have been needed for")
    readings = [_with_others(examination, kind, runs) for kind, runs in examination.case.scrambled.items()]
    return max(readings, key=lambda reading: -1.0 if reading.number is None else reading.number / (reading.threshold or 1.0))


def _with_others(examination: Examination, kind: str, runs: Sequence[Run]) -> Reading:
    """Compare with other constants in one kind of place, then with principal components turned round: both must cost much.

    A suspicion is looked into with new seeds, and with the other pairing of neighbours. A source that breaks with other
    constants says nothing.
    """
    limit, real = max(SLACK, examination.real / 2), examination.real
    try:
        other = real
        for run in runs:  # one deal may leave by luck what matters in its place
            other = min(other, _pgr(examination, examination.problem, run))
            if real - other > limit:
                break
        else:
            return Reading(real - other, limit, f"PGR {real:.2f}, and {other:.2f} with other {kind} in its source")
        mirrored = _mirrored(examination)
        elsewhere = _pgr(examination, _turned_round(examination, mirrored, 0))
        if real - elsewhere <= limit:
            return Reading(
                real - elsewhere, limit, f"PGR {real:.2f}, and {elsewhere:.2f} with principal components turned round"
            )
        fallen = [_pgr(examination, examination.problem.changed(seed=examination.seed()), run) for run in runs]
    except CanaryTouched:
        raise
    except Unanswered as stop:
        return Reading(None, None, f"with other {kind} in its source the method was {stop.outcome.status}")
    ours = examination.reseeded
    others = [_turned_round(examination, mirrored, 1) for _ in range(SEEDS)]
    theirs = [_pgr(examination, other.changed(seed=examination.seed())) for other in others]
    error = math.sqrt((variance(ours) + variance(theirs)) / SEEDS)
    threshold = max(SLACK, fmean(ours) / 2, pgr.t_quantile(CONFIDENCE, 2 * SEEDS - 2) * error)
    sentence = f"PGR {fmean(ours):.2f}, {fmean(fallen):.2f} with other {kind} in its source"
    turned_sentence = f"{sentence}, and {fmean(theirs):.2f} with principal components turned round"
    return Reading(fmean(ours) - max(fmean(fallen), fmean(theirs)), threshold, turned_sentence)


def _pgr(examination: Examination, problem: Problem, run: Run | None = None) -> float:
    return examination.score(examination.predict(problem, run)).pgr


def _mirrored(examination: Examination) -> list[int]:
    with _LARGE:
        return halves(examination.problem, examination.reference)


def _turned_round(examination: Examination, mirrored: Sequence[int], first: int) -> Problem:
    """Return the problem with its principal components turned round; neighbours trade places, beginning with the `first`.

    A method that keeps the first few components loses a component in one of the two pairings only.
    """
    with _LARGE:
        return turned(examination.problem, mirrored, first, examination.rng)
