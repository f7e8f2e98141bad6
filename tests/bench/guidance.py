"""What feedback is worth to a simulated researcher: `python -m tests.bench.guidance [SEEDS]`, 15 s a search.

It is a simulation: neither the researcher nor the world is real (tests/support/simulated_researcher.py, simulated_world.py).
All between them is the program's own. Every seed is a world of its own, searched once under each kind of disclosure. What ended
is kept in --store, so that a run that was cut off goes on. What it printed last: guidance.md.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from evolve.prompting.disclosure import DisclosureKind
from fitness.pgr import t_quantile
from tests.support.guided import Guided, search
from tests.support.simulated_researcher import Misled, Researcher
from tests.support.simulated_world import World

EVALS, EARLY = 120, 60
SHARE = 0.8  # of the best that can be reached
AS_MEANT, AS_READ = "Ladder, read as it is meant", "Ladder, read as models read it"
ARMS: dict[str, tuple[DisclosureKind, Callable[[int], Researcher]]] = {
    "card": ("card", Researcher),
    AS_MEANT: ("ladder", Researcher),
    AS_READ: ("ladder", lambda seed: Researcher(seed, literal=True)),
    "full": ("full", Researcher),
    "card, every score drawn at random": ("card", Misled),
}
Result = dict[str, Any]


def result(arm: str, seed: int, specialist: bool) -> Result:
    """Search one world in one arm."""
    kind, make = ARMS[arm]
    with tempfile.TemporaryDirectory() as folder:
        return {"arm": arm, "seed": seed, **_told(search(Path(folder), World(seed, specialist), make(seed), kind, EVALS))}


def _told(one: Guided) -> Result:
    dev, fresh = one.found.dev.mean, one.found.fresh.mean
    return {
        "evals": one.reached(SHARE), "early": one.truths[:EARLY][-1] / one.best, "last": one.truths[-1] / one.best,
        "best": one.best, "inflation": dev - fresh,
    }  # fmt: skip


def evaluations(one: Result) -> float:
    """Return the evaluations until SHARE of the best was reached; EVALS when it never was."""
    return float(one["evals"] or EVALS)


def between(values: Sequence[float]) -> str:
    """Return a mean with its 90 % interval over seeds (Student's t)."""
    mean, n = fmean(values), len(values)
    half = t_quantile(0.95, n - 1) * stdev(values) / math.sqrt(n) if n > 1 else math.inf
    places = 0 if max(map(abs, values)) > 2 else 2
    return f"{mean:.{places}f} [{mean - half:.{places}f}, {mean + half:.{places}f}]"


def table(results: Sequence[Result]) -> str:
    """Return what was found, a row an arm; differences are paired by seed."""
    head = f"evaluations to {SHARE} of the best | against cards | reached | share of the best after {EARLY} | after {EVALS}"
    lines = [f"| what is told | {head} | against cards | dev minus fresh |", "| --- |" + " --- |" * 7]
    cards = {one["seed"]: one for one in results if one["arm"] == "card"}
    for arm in ARMS:
        mine = [one for one in results if one["arm"] == arm and one["seed"] in cards]
        if mine:
            lines.append(f"| {' | '.join([arm, *_row(mine, [cards[one['seed']] for one in mine])])} |")
    return "\n".join(lines)


def _row(mine: Sequence[Result], cards: Sequence[Result]) -> list[str]:
    early, last, inflation = (between([one[name] for one in mine]) for name in ("early", "last", "inflation"))
    later = between([evaluations(one) - evaluations(card) for one, card in zip(mine, cards)])
    more = between([one["last"] - card["last"] for one, card in zip(mine, cards)])
    against = ("", "") if mine[0]["arm"] == "card" else (later, more)
    reached = f"{sum(one['evals'] is not None for one in mine)} of {len(mine)}"
    return [between([evaluations(one) for one in mine]), against[0], reached, early, last, against[1], inflation]


def main() -> None:
    """Search, store and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="?", type=int, default=10)
    parser.add_argument("--plain", action="store_true", help="worlds without a specialist among the baselines")
    parser.add_argument("--store", type=Path, default=Path("guidance.jsonl"))
    given = parser.parse_args()
    known = [json.loads(line) for line in given.store.read_text().splitlines()] if given.store.exists() else []
    done = {(one["arm"], one["seed"]) for one in known}
    for seed, arm in ((seed, arm) for seed in range(given.seeds) for arm in ARMS if (arm, seed) not in done):
        known.append(result(arm, seed, not given.plain))
        with given.store.open("a") as file:
            file.write(json.dumps(known[-1]) + "\n")
    print(table(known))


if __name__ == "__main__":
    main()
