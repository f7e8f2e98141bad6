"""Derives a probe of each symmetry that a contract declares: it says what holds for every honest method, and tries it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean, variance

import numpy as np

from fitness import pgr
from fitness.contracts.arranging import reordered, restored, show
from fitness.contracts.contract import FLOATS, Problem
from fitness.contracts.symmetries import Kind, Symmetry
from fitness.nouns import Verdict
from fitness.probes.examination import CONFIDENCE, SEEDS, SLACK, WORTH, Examination, Probe, Reading

UNSTABLE = 0.005  # share of answers that may differ between two equal runs: on a GPU sums come in any order
MOVED = 0.002  # share of answers that a row's company may move: products of other shapes round differently
DRAWS = 3  # sets of rows, drawn as for a trial, that are shown thoroughly
STRANGERS = 64  # rows that are shown twice, rows of another array that are shown beside them, rows of the smallest draw
CHANCES = 12  # drawn changes that are looked into: of three, erratic answers are a spread that hides any fall
SHUFFLES = 8  # runs on shuffled rows, at most: the mean of two is luck for a method that finds clusters

Comparison = Callable[[Examination, Callable[[int], float], str], Reading]  # with runs on a changed problem, by seed


@dataclass(frozen=True)
class _Derivation:
    """How a kind of symmetry becomes a probe; the fields are those of Probe, `null` with the declaration's words in braces."""

    measure: Callable[[Symmetry, Examination], Reading]
    refusal: Verdict
    runs: int
    alarms: float
    null: str


def derived(symmetry: Symmetry) -> Probe:
    """Return the probe of a declaration."""
    how = _KINDS[symmetry.kind]
    null = how.null.format(words=symmetry.called)
    measure = partial(how.measure, symmetry)
    return Probe(symmetry.name, measure, how.refusal, how.runs, how.alarms, null, decisive=symmetry.kind == "repeats")


def _repeats(symmetry: Symmetry, examination: Examination) -> Reading:
    """Compare with the recorded score, and answer by answer with a second run where there is none or it differs."""
    recorded = examination.case.reference
    apart = examination.distance(recorded) if recorded else 0.0
    if recorded and not apart and not examination.thorough:
        value = examination.problem.contract.words.value
        return Reading(0.0, UNSTABLE, f"the same problem again gave the recorded {value}")
    share_changed = max(apart, examination.nondeterminism)
    return Reading(share_changed, UNSTABLE, f"the same problem again moved {share_changed:.1%} of the answers")


def _apart(symmetry: Symmetry, examination: Examination) -> Reading:
    """Show parts of the rows, some of them twice, in a new order and in other company; compare answer by answer.

    A part that is unlike the whole shows what depends on the company (random halves hardly do): the upper half by the method's
    own output; thorough adds the lower half, both halves along a random projection, and a draw of few rows. Who tells a part
    from a trial could answer honestly there: so other rows of the instance are shown too, drawn as those of any trial are.
    Where sums come in any order (on a GPU), company is blamed for no less than that does.
    """
    worst, where = 0.0, ""
    for name, share in _shares_moved(symmetry, examination):
        if share >= worst:
            worst, where = share, name
    threshold = UNSTABLE if worst > MOVED and examination.nondeterminism else MOVED
    return Reading(worst, threshold, f"shown {where}, the method moved {worst:.1%} of its answers")


def _shares_moved(symmetry: Symmetry, examination: Examination) -> Iterator[tuple[str, float]]:
    """Yield what is shown, and the share of the answers that it moves."""
    dim, contract = symmetry.of, examination.problem.contract
    for name, part in _parts(dim, examination):
        rows = np.concatenate([part, examination.rng.choice(part, STRANGERS)])
        in_company = _in_company(symmetry, examination, rows)
        yield f"{name} alone", examination.share_changed(examination.reference[rows], in_company)
    pool, places = examination.pool(dim)
    for _ in range(DRAWS if examination.thorough else 1):
        rows = show(_features(pool, dim), examination.rng)
        predictions = examination.predict(examination.problem.changed(reordered(contract, pool.arrays, {dim: rows})))
        again = places[rows] >= 0
        yield (
            "as in another trial",
            examination.share_changed(examination.reference[places[rows[again]]], predictions[again]),
        )


def _parts(dim: str, examination: Examination) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name and the rows of each part."""
    n, rng = len(examination.reference), examination.rng
    by_output = np.argsort(examination.reference.reshape(n, -1)[:, -1], kind="stable")
    yield "the upper half of its own output", by_output[n // 2 :]
    if examination.thorough:
        yield "the lower half of its own output", by_output[: n // 2]
        features = _features(examination.problem, dim)
        by_chance = np.argsort(features @ rng.standard_normal(features.shape[1]), kind="stable")
        yield "the upper half of a random projection", by_chance[n // 2 :]
        yield "the lower half of a random projection", by_chance[: n // 2]
        yield f"{STRANGERS} rows", rng.choice(n, min(n, STRANGERS), replace=False)
        yield "all rows", np.arange(n)


def _features(problem: Problem, dim: str) -> np.ndarray:
    """Return numbers of each row of a dimension, (n, d): its first array of floats, or else the row's place."""
    for array in problem.contract.with_dim(dim):
        if array.dtype in FLOATS and array.name in problem.arrays:
            values = problem[array.name]
            return values.reshape(len(values), -1)
    return np.arange(problem.contract.sizes(problem.arrays)[dim], dtype=np.float32)[:, None]


def _in_company(symmetry: Symmetry, examination: Examination, rows: np.ndarray) -> np.ndarray:
    """Return the predictions for some rows, shown in a new order and beside rows of another array."""
    problem, rng, dim = examination.problem, examination.rng, symmetry.of
    shown = problem.changed(reordered(problem.contract, problem.arrays, {dim: rows}))
    count = len(rows)
    if symmetry.beside:
        (alone,) = problem.contract.with_dim(dim)
        strangers = rng.choice(problem[symmetry.beside], STRANGERS)
        shown = shown.changed({alone.name: np.concatenate([shown[alone.name], strangers])})
        count += STRANGERS
    order = rng.permutation(count)
    predictions = examination.predict(shown.changed(reordered(problem.contract, shown.arrays, {dim: order})))
    return predictions[np.argsort(order)[: len(rows)]]


def _along(
    how: str, draw: Callable[[int, np.random.Generator], np.ndarray], compared: Comparison
) -> Callable[[Symmetry, Examination], Reading]:
    """Return what compares with the problem whose dimension is put into a drawn order, and the answer back."""

    def measure(symmetry: Symmetry, examination: Examination) -> Reading:
        problem, dim = examination.problem, symmetry.of
        size = problem.contract.members(dim, problem.arrays)
        if not size:
            return _lacking(symmetry)

        def again(seed: int) -> float:
            rows = {dim: draw(size, examination.rng)}
            changed = problem.changed(reordered(problem.contract, problem.arrays, rows), seed)
            return examination.score(restored(problem.contract.answer.axes, examination.predict(changed), rows)).pgr

        return compared(examination, again, how.format(words=symmetry.called))

    return measure


def _reverse(size: int, rng: np.random.Generator) -> np.ndarray:
    return np.arange(size)[::-1]


def _moved(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw an order in which nothing stays where it was: by luck, the one place that a cheat knows might."""
    cycle, order = rng.permutation(size), np.empty(size, np.int64)
    order[cycle] = np.roll(cycle, 1)
    return order


def _turn(symmetry: Symmetry, examination: Examination) -> Reading:
    """Turn the last dimension of an array at random, in all arrays of floats that end in it."""
    problem = examination.problem
    dim = next(array.axes[-1] for array in problem.contract.arrays if array.name == symmetry.of)
    given = [array for array in problem.contract.arrays if array.name in problem.arrays]
    turned = [array.name for array in given if array.axes[-1:] == (dim,) and array.dtype in FLOATS]
    if symmetry.of not in turned:
        return _lacking(symmetry)

    def again(seed: int) -> float:
        axes, signs = np.linalg.qr(examination.rng.standard_normal((problem[symmetry.of].shape[-1],) * 2))
        axes = (axes * np.sign(np.diag(signs))).astype(np.float32)
        arrays = {name: (problem[name] @ axes).astype(problem[name].dtype) for name in turned}
        return examination.score(examination.predict(problem.changed(arrays, seed))).pgr

    return _fall(examination, again, f"with the axes of the {symmetry.called} turned")


def _change(examination: Examination, again: Callable[[int], float], how: str) -> Reading:
    """Compare PGRs, by seed, with those on the trial's problem; a change beyond SLACK is looked into, with new seeds only."""
    if not examination.thorough:
        changed = again(examination.problem.seed)
        if abs(examination.real - changed) <= SLACK:
            return _difference([examination.real], [changed], SLACK, how)
    ours, theirs = examination.reseeded, [again(examination.seed()) for _ in range(SEEDS)]
    error = math.sqrt((variance(ours) + variance(theirs)) / SEEDS)
    return _difference(ours, theirs, max(SLACK, pgr.t_quantile(CONFIDENCE, 2 * SEEDS - 2) * error), how)


def _fall(examination: Examination, again: Callable[[int], float], how: str) -> Reading:
    """Compare PGRs with those after a change that is itself drawn: what chance leaves of a fall beyond SLACK is looked into.

    The answers of who lives on what is changed are erratic, which must not hide the fall: so many draws are taken, and their
    mean weighed by Welch's test. That a method recovers more once changed is held against nobody.
    """
    if not examination.thorough:
        changed = again(examination.problem.seed)
        if examination.real - changed <= SLACK:
            return _lost([examination.real], [changed], SLACK, how)
    ours, theirs = examination.reseeded, [again(examination.seed()) for _ in range(CHANCES)]
    parts = [(variance(pgrs) / len(pgrs), len(pgrs) - 1) for pgrs in (ours, theirs)]
    error = math.sqrt(sum(part for part, _ in parts))
    return _lost(ours, theirs, max(SLACK, pgr.t_quantile(CONFIDENCE, pgr.freedom(parts)) * error if error else 0.0), how)


def _lost(ours: Sequence[float], changed: Sequence[float], threshold: float, how: str) -> Reading:
    sentence = f"PGR {fmean(ours):.2f}, and {fmean(changed):.2f} {how}"
    return Reading(fmean(ours) - fmean(changed), threshold, sentence)


def _difference(ours: Sequence[float], changed: Sequence[float], threshold: float, how: str) -> Reading:
    fall = _lost(ours, changed, threshold, how)
    return replace(fall, number=abs(fall.number or 0.0))


def _lacking(symmetry: Symmetry) -> Reading:
    """Say nothing of what an instance lacks: an optional array, or a dimension of such arrays alone."""
    return Reading(None, None, f"this instance has no {symmetry.called}")


def _needs(symmetry: Symmetry, examination: Examination) -> Reading:
    """Shuffle the rows of an array, each shuffle once as it is and once with a dimension exchanged where one is `mirrored`.

    A cluster finder takes even from noise which cluster is true, and is right in half of the shuffles: with the classes
    exchanged it is as wrong as it was right. Who knows the answers is right both times.
    """
    words = symmetry.called
    if symmetry.of not in examination.problem.arrays:
        return _lacking(symmetry)
    if examination.real <= WORTH:
        return Reading(None, None, f"PGR {examination.real:.2f}: there is nothing that {words} could have been needed for")
    limit, scores, least = examination.real / 2, _once(symmetry, examination), 4 if examination.thorough else 2
    while len(scores) < least or (len(scores) < SHUFFLES and fmean(scores) > limit):
        scores += _once(symmetry, examination)
    mean = fmean(scores)
    return Reading(
        mean, limit, f"PGR {examination.real:.2f}, and {mean:.2f} in the mean of {len(scores)} shuffles of the {words}"
    )


def _once(symmetry: Symmetry, examination: Examination) -> list[float]:
    """Return the PGRs of one shuffle and of its mirror image, under one new seed."""
    problem, contract = examination.problem, examination.problem.contract
    (array,) = (array for array in contract.arrays if array.name == symmetry.of)
    rows = {array.axes[0]: examination.rng.permutation(array.shape(problem.arrays)[0])}
    alone = [other.name for other in contract.arrays if other is not array]
    shuffled = problem.changed(reordered(contract, problem.arrays, rows, but=alone), examination.seed())
    problems = [shuffled]
    if symmetry.mirrored:
        back = {symmetry.mirrored: _reverse(contract.sizes(problem.arrays)[symmetry.mirrored], examination.rng)}
        problems.append(shuffled.changed(reordered(contract, shuffled.arrays, back, but=alone)))
    return [examination.score(examination.predict(one)).pgr for one in problems]


_STAYS = f"changes the PGR by at most {SLACK}, or three standard errors of new seeds"
_KEEPS = f"costs at most {SLACK} of PGR, or three standard errors of new draws"
_KINDS: Mapping[Kind, _Derivation] = {
    "repeats": _Derivation(
        _repeats, Verdict.FAILED, 1, 0.0,
        f"the same problem with the same seed gets the same answers, but for {UNSTABLE:.1%} of them",
    ),
    "apart": _Derivation(
        _apart, Verdict.FAILED, 2, 0.0,
        f"order, number and company of the {{words}} move at most {MOVED:.1%} of the answers",
    ),
    "exchange": _Derivation(
        _along("with the {words} exchanged", _reverse, _change), Verdict.FAILED, 1, 0.005, f"exchanging the {{words}} {_STAYS}"
    ),
    "permute": _Derivation(
        _along("with the {words} in another order", _moved, _fall), Verdict.FAILED, 1, 0.0, f"reordering the {{words}} {_KEEPS}"
    ),
    "rename": _Derivation(
        _along("with the {words} renumbered", _moved, _fall), Verdict.FAILED, 1, 0.0, f"renumbering the {{words}} {_KEEPS}"
    ),
    "turn": _Derivation(_turn, Verdict.FAILED, 1, 0.0, f"turning the axes of the {{words}} {_KEEPS}"),
    "needs": _Derivation(  # noise may leave an honest filter without a row
        _needs, Verdict.SKIPPED, 2, 0.0,
        f"with the {{words}} shuffled the mean PGR is at most half of the real one, where that is above {WORTH}",
    ),
}  # fmt: skip
