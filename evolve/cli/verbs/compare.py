"""Runs the verb `compare`: strategies of search at equal budget."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.options import echo_json, json_option, trust_option

if TYPE_CHECKING:
    from evolve.study.outcome import SearchOutcome
    from evolve.study.plan import Plan
    from evolve.study.rediscovery import Rediscovery
    from evolve.study.table import Table


@click.command()
@click.option("--strategies", default="all", show_default=True, metavar="A,B", help="All, or names joined by commas.")
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(1, 100), help="Searches of each strategy.")
@click.option(
    "--evals",
    default=100,
    show_default=True,
    type=click.IntRange(1),
    help="Budget of a search, in methods that run on every dev instance.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of the first search of each.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Searches at once (default: one a core).")
@click.option("--hold-out", default="", metavar="NAME", help="Leave this human baseline out: is it found again?")
@click.option("--task", help="The task to search on: embedded (the default), truth, or your own as path/to/task.py[:NAME].")
@click.option("--domain", multiple=True, metavar="NAME", help="A search domain, or several (default: the task's first).")
@click.option("--model", multiple=True, metavar="SPEC", help="A language model as provider:name. May cost money.")
@click.option("--base-url", metavar="URL", help="Base URL of an OpenAI-compatible server for --model openai:NAME.")
@click.option("--usd", type=float, metavar="X", help="What model calls of one search may cost, in dollars.")
@trust_option
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any setting of evolve.toml, for all searches.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder of the study (default: in runs/).")
@click.option("--dry-run", is_flag=True, help="Print the work, the time and the worst cost, and do nothing.")
@json_option
def compare(strategies: str, repeats: int, jobs: int | None, dry_run: bool, as_json: bool, **flags: Any) -> None:
    """Compare strategies of search on one task: as many trials for each, several seeds, answers judged on fresh instances.

    Every search begins with the same judged seeds and uses one worker, so that the same command gives the same table. A study
    that was stopped goes on when the same command is given again.
    """
    from evolve.cli.show.estimate import estimate_study
    from evolve.cli.show.study import carry_out, say_rediscoveries, say_study
    from evolve.config import parse_set
    from evolve.study.outcome import read
    from evolve.study.plan import Options, draw_up
    from evolve.study.rediscovery import rediscoveries
    from evolve.study.table import tabulate

    flags["trust_methods"] = flags.pop("trust") or None
    settings = parse_set(flags.pop("pairs"))
    options = Options(strategies, repeats, *(flags.pop(name) for name in ("evals", "out", "hold_out")))
    plan = draw_up(options, settings, {name: value for name, value in flags.items() if value != ()})
    at_once = jobs or os.cpu_count() or 1
    if dry_run:
        estimate_study(plan, at_once, as_json)
        return
    carry_out(plan, at_once, quiet=as_json)
    outcomes = [read(contestant) for contestant in plan.contestants()]
    table, found = tabulate(outcomes), rediscoveries(plan, outcomes) if plan.hold_out else ()
    if as_json:
        echo_json(_as_json(plan, table, outcomes, found))
        return
    say_study(plan, table, outcomes)
    _draw(plan, table, outcomes)
    if found:
        say_rediscoveries(plan.hold_out, found)


def _draw(plan: Plan, table: Table, outcomes: list[SearchOutcome]) -> None:
    """Draw the best so far of every strategy into the study's folder, where matplotlib is installed."""
    from functools import partial

    from evolve.files import beside, mark, write_bytes
    from evolve.report.plots.plots import picture

    try:
        from evolve.study.plots import curves
    except ModuleNotFoundError:
        click.echo("for a plot of the curves install the extra plots: `pip install -e '.[plots]'`")
        return
    drawn = picture(partial(curves, outcomes, [line.strategy for line in table.lines], plan.trials), "png", mark(plan.key))
    if drawn is not None:
        click.echo(f"  curves  {write_bytes(beside(plan.folder / 'curves', '.png', plan.key), drawn, plan.key)}")


def _as_json(plan: Plan, table: Table, outcomes: list[SearchOutcome], found: tuple[Rediscovery, ...]) -> dict[str, object]:
    searches = [asdict(outcome) | {"curve": [[step.trials, step.pgr] for step in outcome.curve]} for outcome in outcomes]
    return {
        "folder": str(plan.folder),
        "trials": plan.trials,
        "repeats": plan.repeats,
        "strategies": [asdict(line) for line in table.lines],
        "pairs": [asdict(pair) for pair in table.pairs],
        "searches": searches,
        "rediscovery": [asdict(one) | {"better": one.better, "found": one.found} for one in found],
    }
