"""How wide a held-out interval is, by its number of instances: `python -m tests.bench.held_out [INSTANCES]`, some ten minutes.

Two human baselines are judged on many instances of each held-out domain; the intervals of n of them, drawn again and again, are
made as the final evaluation makes them. What it printed last: docs/results.md.
"""

from __future__ import annotations

import sys
from statistics import fmean, quantiles, stdev

import numpy as np

from evolve.runs import seeds
from evolve.runs.judge import FIRST
from evolve.runs.resources import judge_resources
from evolve.screening.screen import Screen
from fitness import pgr
from fitness.nouns import Score, Split
from fitness.tasks import load
from fitness.vault.instance import InstanceName
from tests.bench.baselines import trials

METHODS = ("lda", "auxconf")
DRAWS = 1000
COUNTS = (2, 3, 4, 5, 6, 8, 10, 12)


def widths(scores: list[Score], spread: pgr.Spread, n: int, rng: np.random.Generator) -> tuple[list[float], float]:
    """Return the widths of intervals of n instances, and how many of them hold the mean of all."""
    truth, found, held = fmean(s.pgr for s in scores), [], 0
    for _ in range(DRAWS):
        interval = pgr.interval([scores[i] for i in rng.choice(len(scores), n, replace=False)], least=spread)
        found.append(interval.high - interval.low)
        held += interval.low <= truth <= interval.high
    return found, held / DRAWS


def main() -> None:
    """Print a line for every domain, method and number of instances."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    task = load("embedded")
    asked = ("chat", *task.held_out_domains)
    wanted = {d: [InstanceName(task.name, d, Split.FRESH, FIRST + i) for i in range(many)] for d in asked}
    scores: dict[tuple[str, str], list[Score]] = {}
    with judge_resources(task, [name for names in wanted.values() for name in names]) as resources:
        screen = Screen(resources.worker)
        for seed in seeds.collect():
            if seed.name in METHODS:
                method = screen.parse(seed.source, seed.name).method
                assert method is not None
                for domain, names in wanted.items():
                    scores[seed.name, domain] = [t.score for t in trials(resources, method.method, names) if t.score]
    spread, rng = pgr.pooled([scores[name, "chat"] for name in METHODS]), np.random.default_rng(0)
    print(f"spread over instances of chat: {spread.variance**0.5:.2f}")
    for domain in task.held_out_domains:
        for name in METHODS:
            every = scores[name, domain]
            print(f"{name} on {domain}: {fmean(s.pgr for s in every):.2f} ± {stdev(s.pgr for s in every):.2f}")
            for n in COUNTS:
                found, held = widths(every, spread, n, rng)
                tenths = quantiles(found, n=10)
                print(f"  n = {n:2d}: width {tenths[4]:.2f}, one in ten above {tenths[8]:.2f}; holds the mean in {held:.0%}")


if __name__ == "__main__":
    main()
