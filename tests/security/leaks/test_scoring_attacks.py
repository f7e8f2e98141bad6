"""What attacks on scores recover: all labels from exact counts, next to nothing through the Ladder.

`pytest tests/security/leaks -rP` prints the numbers beside the bound that the transcript's bits set.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from statistics import fmean

import numpy as np
import pytest

from fitness.ladder import STEP, recoverable, transcript_bits
from tests.security.leaks import attacks
from tests.security.leaks.scorers import Exact, FixedStep, OnCard, ParameterFree, Published, balanced

ROWS, QUERIES, REPEATS = 3000, 1000, 3
BITS = transcript_bits(QUERIES, STEP)
BOUND = recoverable(BITS, ROWS)
ENCODED = math.log2(QUERIES / STEP) / STEP  # bits by the cruder count of Blum & Hardt 2015
CLOSE = 0.535  # more than these attacks were seen to recover through the fixed step; one rung above chance is .52

Tell = Callable[[str], None]
ATTACKS: dict[str, tuple[attacks.Attack, float]] = {  # the attack, and what it recovers at least from exact answers
    "one-flip": (attacks.one_flip, 0.65),
    "halving, subtracting": (attacks.halving, 0.69),
    "halving, rises only": (attacks.halving_climb, 0.60),
    "random blocks of 10": (partial(attacks.blocks, size=10), 0.64),
    "random blocks of 1,000": (partial(attacks.blocks, size=1000), 0.536),
    "boosting": (attacks.boosting, 0.61),
    "boundary": (attacks.boundary, 0.48),
}
READABLE_WITHOUT_PARAMETER = ("one-flip", "random blocks of 10")


def recovered(scorer: type[Exact], attack: attacks.Attack, queries: int = QUERIES, repeats: int = REPEATS) -> float:
    """Return the mean share of labels that an attack names, over new labels each time."""
    shares = []
    for repeat in range(repeats):
        rng = np.random.default_rng([repeat, ROWS])
        target = scorer(balanced(ROWS, rng))
        shares.append(target.recovered(attack(target.ask, ROWS, queries, rng)))
    return fmean(shares)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_ladder_withstands_what_reads_exact_scores(name: str, tell: Tell) -> None:
    attack, least = ATTACKS[name]
    exact, free, card, fixed = (recovered(scorer, attack) for scorer in (Exact, ParameterFree, OnCard, FixedStep))
    tell(
        f"{name:<24} {QUERIES:,} queries, {ROWS:,} labels: exact scores {exact:.3f} | parameter-free Ladder {free:.3f} | "
        f"card {card:.3f} | "
        f"our Ladder {fixed:.3f} | bound {BOUND:.2f} ({BITS:.0f} bits; {recoverable(ENCODED, ROWS):.2f} by {ENCODED:.0f} bits)"
    )
    assert exact >= least
    assert fixed <= min(BOUND, CLOSE)
    if name in READABLE_WITHOUT_PARAMETER:
        assert free >= 0.6, "the contrast: a step that shrinks lets it through"


@pytest.mark.slow
@pytest.mark.parametrize("queries", [1_000, 10_000])
def test_no_size_of_block_climbs_the_ladder(queries: int, tell: Tell) -> None:
    bound = recoverable(transcript_bits(queries), ROWS)
    for size in (1, 3, 10, 30, 100, 300, 1000, 1500):
        share = recovered(FixedStep, partial(attacks.blocks, size=size), queries, repeats=10)
        tell(f"random blocks of {size:<6,} {queries:,} queries: our Ladder {share:.3f} | bound {bound:.2f}")
        assert share <= min(bound, CLOSE)


# what the attacks do to a server that was really used

SERVED = 600


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(600).random(SERVED) < 0.45


@pytest.mark.parametrize(("name", "most"), [("one-flip", 601), ("halving, subtracting", 480)])
def test_exact_counts_give_every_label_away(labels: np.ndarray, name: str, most: int, tell: Tell) -> None:
    server = Published(labels)
    guess = ATTACKS[name][0](server.ask, SERVED, 10 * SERVED, np.random.default_rng(0))
    tell(f"{name:<24} AAR's exact counts: {np.sum(guess == labels)} of {SERVED} labels in {server.queries} queries")
    assert np.array_equal(guess, labels)
    assert server.queries <= most


def test_predictions_outside_the_alphabet_isolate_any_subset(labels: np.ndarray, tell: Tell) -> None:
    server = Published(labels)
    subset = np.random.default_rng(1).choice(SERVED, 7, replace=False)
    predictions = np.full(SERVED, 2)
    predictions[subset] = 1
    found = server.score(predictions).right
    tell(f"{'outside the alphabet':<24} AAR's exact counts: {found} of rows {sorted(subset.tolist())} are true, in 1 query")
    assert found == labels[subset].sum()


def test_class_totals_are_told_whatever_is_asked(labels: np.ndarray, tell: Tell) -> None:
    totals = Published(labels).score(np.full(SERVED, 2)).rows_of_class
    tell(f"{'class totals':<24} AAR's exact counts: {totals[0]} false and {totals[1]} true, in 1 query")
    assert totals == (np.sum(~labels), np.sum(labels))
