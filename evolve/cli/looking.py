"""The verbs that look at a run: status, top, show, diff, lineage, map. All of them only read, and work on a live run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from archives.archive import Archive
from evolve.cli.common import choose_method, db_option, echo_json, find_method, find_run, is_running, json_option
from evolve.errors import UsageError
from evolve.nouns import short
from evolve.report.board import ORDERS, Wanted, board
from evolve.report.ranking import tried

_KEY = click.argument("method", required=False, metavar="[ID|NAME]")


@click.command()
@db_option
@json_option
def status(db: Path | None, as_json: bool) -> None:
    """Where a run stands: evaluations, best, baselines, budget."""
    from evolve.cli.searching import POINTS
    from evolve.cli.texts import print_status
    from evolve.report import diversity
    from evolve.report.standing import standing

    path = find_run(db)
    archive = Archive.open(path)
    with archive.transaction():
        now = standing(archive, alive=is_running(path), points=diversity.POINTS if as_json else POINTS)
    if as_json:
        echo_json({**asdict(now), "db": str(path)})
    else:
        print_status(now)


@click.command()
@click.option("-n", "limit", type=click.IntRange(1), default=10, show_default=True, help="How many methods.")
@click.option(
    "--by", type=click.Choice(list(ORDERS)), default="fitness", show_default=True, help="Sort by this, largest first."
)
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option("--domain", help="PGR on this domain, and only methods that were judged on it.")
@click.option("--flagged/--clean", default=None, help="Only methods that a probe failed, or only the others.")
@click.option("--island", type=click.IntRange(0), help="Only elites of this island.")
@click.option("--direction", help="Only methods that were made for this direction.")
@click.option("--operator", help="Only methods that this operator made.")
@click.option("--model", help="Only methods that this model wrote.")
@click.option("--origin", type=click.Choice(["seed", "search", "agent", "added"]), help="Only methods from there.")
@click.option("--pareto", is_flag=True, help="Only methods that no other beats on every search domain.")
@db_option
@json_option
def top(limit: int, db: Path | None, as_json: bool, **asked: Any) -> None:
    """The best methods of a run, by fitness: the lower confidence bound of their PGR on dev instances.

    Selection flatters dev scores; where a method was judged on fresh instances too, the difference is shown.
    """
    from evolve.cli.texts import print_ranking

    archive, wanted = Archive.open(find_run(db)), Wanted(**asked)
    with archive.transaction():
        rows, among = board(archive, wanted, limit), tried(archive)
    if as_json:
        echo_json([asdict(row) for row in rows])
    else:
        print_ranking(rows, among, wanted)


@click.command()
@_KEY
@click.option("--prompt", "with_prompt", is_flag=True, help="Also print the prompt and the reply it came from.")
@db_option
@json_option
def show(method: str | None, with_prompt: bool, db: Path | None, as_json: bool) -> None:
    """One method (default: the best): its source, scores on every split, parents, idea and cost."""
    from evolve.cli.texts import print_dossier
    from evolve.report.dossier import dossier

    archive = Archive.open(find_run(db))
    with archive.transaction():
        facts = dossier(archive, choose_method(archive, method))
    if as_json:
        echo_json(asdict(facts))
    else:
        print_dossier(facts, with_prompt=with_prompt)


@click.command()
@_KEY
@click.argument("other", required=False, metavar="[ID|NAME]")
@db_option
@json_option
def diff(method: str | None, other: str | None, db: Path | None, as_json: bool) -> None:
    """What a method (default: the best) changed, against its first parent or any other method."""
    from evolve.cli.printing import diff as print_diff
    from evolve.report.changes import change
    from evolve.report.pedigree import pedigree

    archive = Archive.open(find_run(db))
    with archive.transaction():
        after = choose_method(archive, method)
        if other is not None:
            before = find_method(archive, other)
        else:
            parents = pedigree(archive, after, 1).ancestors[0].parents
            if not parents:
                raise UsageError(f"{method or short(after)} has no parent in this run: name the method to compare it with")
            before = parents[0]
        step = change(archive, before, after)
    if as_json:
        echo_json(asdict(step))
    elif not step.lines:
        click.echo(f"{step.before_label} and {step.after_label} have the same source.")
    else:
        print_diff(step.lines)


@click.command()
@_KEY
@db_option
@json_option
def lineage(method: str | None, db: Path | None, as_json: bool) -> None:
    """A method's ancestors (default: the best's) down to the seeds, with the gain of each edge."""
    from evolve.cli.pedigree import print_pedigree
    from evolve.report.pedigree import pedigree

    archive = Archive.open(find_run(db))
    with archive.transaction():
        tree = pedigree(archive, choose_method(archive, method))
    if as_json:
        echo_json(asdict(tree))
    else:
        print_pedigree(tree)


@click.command(name="map")
@click.option("--island", type=click.IntRange(0), help="Only this island.")
@db_option
@json_option
def map_(island: int | None, db: Path | None, as_json: bool) -> None:
    """The grid of a run as a heat map: all islands together, then each."""
    from evolve.cli.printing import heat_map, legend, say
    from evolve.report.maps import heat_maps

    archive = Archive.open(find_run(db))
    with archive.transaction():
        maps = heat_maps(archive)
    if island is not None:
        islands = {heat.island for heat in maps if heat.island is not None} or {square.island for square in maps[0].squares}
        if island not in islands:
            raise UsageError(f"no elite lives on island {island}: the islands with elites are {sorted(islands)}")
        maps = tuple(heat for heat in maps if heat.island == island) or maps
    if as_json:
        echo_json([asdict(heat) for heat in maps])
        return
    for heat in maps:
        heat_map(heat)
        say()
    legend()
