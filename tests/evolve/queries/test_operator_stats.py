from __future__ import annotations

import pytest

from evolve.cli.show.tables import over_time
from evolve.queries.diversity import DiversityPoint
from evolve.queries.operators import OperatorStats, explained, over_islands


def arm(
    model: str, operator: str, tried: int, gain: float, calls: int = 0, usd: float | None = 0.0, island: int = 0
) -> OperatorStats:
    return OperatorStats(model, operator, island, tried, 1, gain, calls, 100 * calls, usd)


def test_arms_of_all_islands_are_added_up() -> None:
    every = [arm("m", "diff", 3, 0.1, 3, 0.5, island=0), arm("", "graft", 5, 0.2), arm("m", "diff", 4, 0.2, 4, 0.25, island=1)]
    first, second = over_islands(every)
    assert (first.model, first.operator, first.island, first.tried, first.placed, first.calls) == ("m", "diff", None, 7, 2, 7)
    assert (first.gain, first.usd) == (pytest.approx(0.3), pytest.approx(0.75))
    assert second.operator == "graft"


def test_one_unknown_price_makes_the_sum_unknown() -> None:
    (both,) = over_islands([arm("m", "diff", 3, 0.1, 3, 0.5), arm("m", "diff", 3, 0.1, 3, None, island=1)])
    assert (both.usd, both.per_dollar) == (None, None)


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (arm("m", "diff", 9, 0.5, 9, 0.25), "diff by m: .50 PGR gained for $0.25 with 9 calls and 900 tokens, 2 per dollar."),
        (arm("m", "diff", 9, 0.5, 1, None), ".50 PGR gained with 1 call and 100 tokens, per dollar unknown."),
        (arm("", "graft", 9, 0.0), "9 went to graft: .00 PGR gained without a model call."),
        (arm("m\n\x1b[31m", "diff", 9, 0.5, 9, 0.0), "diff by m ␛[31m: .50 PGR gained for $0.00 with 9 calls and 900 tokens."),
    ],
)  # fmt: skip
def test_the_arms_are_explained_in_a_sentence(first: OperatorStats, words: str) -> None:
    said = explained(over_islands([first, arm("", "perturb", 3, 0.1)]))
    assert said.startswith("Of 12 proposals 9 went to ")
    assert words in said
    assert explained([]) == ""


def test_entropy_over_time_is_a_row_of_bars() -> None:
    spreads = [DiversityPoint(number, number / 100, 0.5) for number in range(1, 301)]
    bars = over_time(spreads, 3.0)
    assert bars.startswith("▁")
    assert bars.endswith("█  first third 0.5, now 3.0 bits")
    assert len(bars.partition("  ")[0]) == 32
    assert over_time(spreads[:1], 3.0) == ""
    assert over_time([DiversityPoint(1, 0.0, 0.5), DiversityPoint(2, 0.0, 0.5)], 0.0).startswith("▁▁")
