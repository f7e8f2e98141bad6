"""How often the intervals and probabilities of a study tell the truth: `python -m tests.bench.intervals`, three minutes.

Studies are simulated whose truth is known. How much things vary is taken from the published studies (docs/results): in 30
evaluations searches of one strategy differ by .05 to .18 in fresh PGR, most near the best and a few far below; instances by .05
to .11, alike for all searches; the rest of a champion's PGR on an instance by .05 to .1. Beside ours stands the bootstrap
without its corrections. What it printed last: intervals.md.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evolve.study.table import chance, interval, resampled

STUDIES = 300
INSTANCES = 20
TRUTH = 0.85
CASES = {
    "searches vary most, alike on both sides": (0.14, 0.08, 0.07, False),
    "searches vary most, a few are far below": (0.14, 0.08, 0.07, True),
    "searches vary less than instances": (0.045, 0.085, 0.055, True),
}
Fresh = NDArray[np.float64]


def studies(case: str, searches: int, rng: np.random.Generator) -> Iterator[tuple[Fresh, Fresh]]:
    """Yield two equally good strategies' PGRs, shape (searches, instances), that share their instances."""
    for _ in range(STUDIES):
        instances = rng.normal(0, CASES[case][1], INSTANCES)
        yield strategy(case, searches, instances, rng), strategy(case, searches, instances, rng)


def strategy(case: str, searches: int, instances: Fresh, rng: np.random.Generator) -> Fresh:
    """Return one strategy's PGRs."""
    spread, _, rest, skewed = CASES[case]
    luck = spread - rng.exponential(spread, searches) if skewed else rng.normal(0, spread, searches)
    return TRUTH + luck[:, None] + instances + rng.normal(0, rest, (searches, INSTANCES))


def plain(fresh: tuple[Fresh, Fresh], rng: np.random.Generator) -> tuple[Fresh, Fresh]:
    """Return the drawn means of two strategies by a bootstrap without corrections."""
    searches, instances = fresh[0].shape
    shares = rng.multinomial(instances, [1 / instances] * instances, 2000) / instances
    drawn = (rng.multinomial(searches, [1 / searches] * searches, 2000) / searches for _ in fresh)
    one, other = (np.einsum("br,ri,bi->b", share, pgrs, shares) for share, pgrs in zip(drawn, fresh))
    return one, other


def main() -> None:
    """Print, for each case and number of searches, how often intervals hold the truth and equals are told apart."""
    print(f"{STUDIES} simulated studies each, {INSTANCES} fresh instances; in brackets without the corrections")
    print("the aim: intervals of 90 % hold the truth in 90 %, equals are told apart with .95 in 10 %")
    for case in CASES:
        print(case)
        for searches in (2, 3, 5, 6, 10):
            rng = np.random.default_rng(searches)
            held = held_plain = apart = apart_plain = 0
            width = 0.0
            for one, other in studies(case, searches, rng):
                ours = resampled({"one": one.tolist(), "other": other.tolist()})
                low, high = interval(ours["one"])
                held += low <= TRUTH <= high
                width += (high - low) / STUDIES
                apart += abs(chance(ours["one"], ours["other"]) - 0.5) > 0.45
                first, second = plain((one, other), rng)
                low, high = np.percentile(first, [5, 95])
                held_plain += low <= TRUTH <= high
                apart_plain += abs(np.mean(first > second) - 0.5) > 0.45
            covered, before, differ, differed = (
                f"{100 * number / STUDIES:.0f} %" for number in (held, held_plain, apart, apart_plain)
            )
            line = f"held {covered} ({before}), told apart {differ} ({differed}); width {width:.2f}"
            print(f"  {searches:2d} searches: {line}", flush=True)


if __name__ == "__main__":
    main()
