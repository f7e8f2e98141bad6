"""The Ladder: what it answers, what it can be restored from, and how much its answers can say."""

from __future__ import annotations

import math
from itertools import pairwise, product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fitness.ladder import RUNGS, STEP, Ladder, recoverable, shown, transcript_bits

accuracy = st.one_of(st.floats(0, 1), st.integers(0, 3000).map(lambda right: right / 3000))
GRID = {rung / RUNGS for rung in range(RUNGS + 1)}


def answers(ladder: Ladder, accuracies: list[float]) -> list[float]:
    return [ladder.ask(a).value for a in accuracies]


@given(st.lists(accuracy, max_size=200))
def test_answers_climb_a_fixed_grid_and_rise_at_most_once_a_rung(accuracies: list[float]) -> None:
    ladder = Ladder()
    rungs = [ladder.ask(a) for a in accuracies]
    values = [0.0, *(rung.value for rung in rungs)]
    assert set(values) <= GRID
    assert values == sorted(values)
    assert [rung.raised for rung in rungs] == [b > a for a, b in pairwise(values)]
    assert sum(rung.raised for rung in rungs) <= 1 / STEP
    assert ladder.queries == len(accuracies)


@given(st.lists(accuracy, min_size=1, max_size=50))
def test_an_answer_moves_exactly_when_the_step_is_beaten(accuracies: list[float]) -> None:
    """Algorithm 1 of Blum & Hardt, word for word, in exact thousandths of a step so that no rounding decides."""
    ladder, best = Ladder(), 0
    for a in accuracies:
        thousandths = round(a / STEP * 1000)
        if thousandths >= best + 1000:
            best = thousandths // 1000 * 1000
        assert ladder.ask(thousandths / 1000 * STEP).value == pytest.approx(best / 1000 * STEP)


@given(st.lists(accuracy, max_size=60), st.integers(0, 60))
def test_a_ladder_rebuilt_from_its_answers_goes_on_as_if_nothing_had_happened(accuracies: list[float], cut: int) -> None:
    whole = answers(Ladder(), accuracies)
    before = answers(Ladder(), accuracies[:cut])
    again = Ladder(best=max(before, default=0.0), queries=len(before))
    assert before + answers(again, accuracies[cut:]) == whole
    assert again.queries == len(accuracies)


@pytest.mark.parametrize("rung", sorted(GRID))
def test_an_accuracy_that_is_a_rung_reaches_it(rung: float) -> None:
    for right in (round(rung * 3000) / 3000, sum([rung / 10] * 10)):
        assert Ladder().ask(right).value == rung


def test_nobody_learns_of_a_gain_below_the_step() -> None:
    ladder = Ladder(best=0.6)
    assert answers(ladder, [0.61, 0.6199, 0.3, 0.6]) == [0.6] * 4
    assert ladder.ask(0.62).raised


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -0.01, 1.01])
def test_what_is_no_accuracy_is_refused(wrong: float) -> None:
    ladder = Ladder()
    with pytest.raises(ValueError, match="accuracy"):
        ladder.ask(wrong)
    assert ladder == Ladder(), "and is not counted"


@pytest.mark.parametrize(("best", "queries"), [(0.61, 3), (math.nan, 3), (-0.02, 3), (1.02, 3), (0.6, -1)])
def test_a_state_that_no_ladder_was_ever_in_is_refused(best: float, queries: int) -> None:
    with pytest.raises(ValueError, match="stands on a rung"):
        Ladder(best, queries)


# what is shown


@given(st.sampled_from(sorted(GRID)), st.floats(0.5, 0.8), st.floats(0.05, 0.2))
def test_a_prompt_shows_the_rungs_pgr_rounded_down_to_a_twentieth(rung: float, weak: float, gap: float) -> None:
    strong = weak + gap
    pgr, seen = (rung - weak) / gap, shown(rung, weak, strong)
    assert seen * 20 == pytest.approx(round(seen * 20))
    assert seen - 1e-6 <= pgr < seen + 0.05 + 1e-6


@pytest.mark.parametrize(
    ("rung", "seen"), [(0.6, 0.0), (0.62, 0.05), (0.64, 0.1), (0.8, 0.5), (1.0, 1.0), (0.56, -0.1), (0.0, -1.5)]
)
def test_shown_scores_by_example(rung: float, seen: float) -> None:
    assert shown(rung, 0.6, 1.0) == seen


def test_without_a_gap_nothing_is_shown() -> None:
    with pytest.raises(ValueError, match="must exceed"):
        shown(0.7, 0.8, 0.8)


# what it can say


@pytest.mark.parametrize("rungs", [1, 2, 3])
@pytest.mark.parametrize("queries", [0, 1, 4])
def test_the_bits_are_those_of_all_sequences_that_never_fall(queries: int, rungs: int) -> None:
    climbing = [s for s in product(range(rungs + 1), repeat=queries) if list(s) == sorted(s)]
    assert transcript_bits(queries, 1 / rungs) == pytest.approx(math.log2(len(climbing)))


@given(st.integers(1, 10**6), st.integers(2, 200))
@example(1, 2)
def test_the_bits_are_within_the_published_count_of_positions_and_values(queries: int, rungs: int) -> None:
    assert transcript_bits(queries, 1 / rungs) <= rungs * math.log2(queries * rungs) + 1e-9


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_telling_labels_one_by_one_recovers_no_more_than_the_bound(told: tuple[int, int]) -> None:
    bits, n = told
    assert (bits + (n - bits) / 2) / n <= recoverable(bits, n) <= 1


@pytest.mark.parametrize("n", [1, 3, 11, 101])
def test_telling_the_majority_in_one_bit_recovers_no_more_than_the_bound(n: int) -> None:
    """The best that one bit can do: name every label as the majority. The bound is within a half of what it gains."""
    share = sum(math.comb(n, k) * max(k, n - k) for k in range(n + 1)) / 2**n / n
    assert share <= recoverable(1, n)
    assert recoverable(1, n) - 0.5 <= 1.5 * (share - 0.5)
