"""A study on the screen."""

from __future__ import annotations

from collections.abc import Sequence

from evolve.cli.printing import paragraph, say, table
from evolve.nouns import short
from evolve.report.wording import count
from evolve.study.outcome import Outcome
from evolve.study.plan import Plan
from evolve.study.rediscovery import Rediscovery
from evolve.study.table import Table


def say_study(plan: Plan, found: Table, outcomes: Sequence[Outcome]) -> None:
    """Print the table of a study, who is better than whom, and what the numbers mean."""
    say()
    rows = [
        [
            line.strategy,
            f"{line.fresh_pgr:.3f}",
            f"[{line.fresh_low:.3f}, {line.fresh_high:.3f}]",
            f"{line.auc:.3f}",
            f"{line.qd_score:.2f}",
            f"{line.behaviours:.1f}",
            f"{line.evaluations:.0f}",
            "unknown" if line.usd is None else f"{line.usd:.2f}",
        ]
        for line in found.lines
    ]
    headers = ["strategy", "fresh PGR", "90 % interval", "AUC", "QD", "cells", "methods", "usd"]
    table(headers, rows, flexible=0, right=(1, 3, 4, 5, 6, 7))
    say()
    names = [line.strategy for line in found.lines]
    chance = {(pair.better, pair.than): pair.probability for pair in found.pairs}
    if len(names) > 1:
        say("probability that the row's strategy is better than the column's", "bold")
        grid = [[one, *(_cell(chance.get((one, other))) for other in names[1:])] for one in names[:-1]]
        table(["", *names[1:]], grid, flexible=0, right=range(1, len(names)))
        say()
    barren = sum(line.barren for line in found.lines)
    paragraph(
        f"{count(plan.repeats, 'search', 'searches')} a strategy, {plan.trials:,} trials on dev instances each. Fresh PGR is "
        f"that of a search's one answer on {len(outcomes[0].fresh)} instances that selection never saw; intervals and "
        f"probabilities are {_uncertainty(plan.repeats)}. AUC: mean dev PGR of the best so far. QD: sum of the best "
        "fitness of each cell of the task's grid; cells: of them, those that bred methods occupy. Methods: judged, races won "
        "and lost."
    )
    if barren:
        whose, them = count(barren, "search", "searches"), "it" if barren == 1 else "them"
        paragraph(f"{whose} bred nothing to answer with: the best human baseline stands for {them}.")


def say_rediscoveries(name: str, found: Sequence[Rediscovery]) -> None:
    """Print how near each search came to the baseline that was held out of it."""
    say()
    say(f"{name}, held out: fresh PGR {found[0].baseline:.3f}; the best of the other baselines {found[0].rest:.3f}", "bold")
    rows = [
        [one.strategy, str(one.repeat), f"{one.fresh:.3f}", f"{one.distance:.3f}", short(one.nearest), _judgement(one)]
        for one in found
    ]
    table(["strategy", "search", "fresh PGR", "distance", "nearest", ""], rows, flexible=5, right=(1, 2, 3))
    paragraph(
        "Distance: root mean square difference in accuracy and in agreement with the teacher over the dev instances, of the "
        f"bred method that behaves most like {name}; the nearest of the other baselines is {found[0].usual:.3f} away."
    )


def _uncertainty(repeats: int) -> str:
    if repeats == 1:
        return "over instances alone: one search does not say how much another seed would change"
    return "bootstrapped over searches and instances, and corrected for the number of searches"


def _judgement(one: Rediscovery) -> str:
    near = "behaves more like it than any baseline" if one.found else "no nearer than a baseline"
    return f"{near}; {'as good or better' if one.better else 'worse'}"


def _cell(probability: float | None) -> str:
    return "" if probability is None else f"{probability:.2f}"
