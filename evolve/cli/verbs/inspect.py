"""Runs the verbs that read a run, also a live one: status, top, show, diff, lineage, map, failures, costs, find."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from evolve.cli.options import answer, db_option, echo_json, json_option
from evolve.queries.filtering import ORDERS, Wanted, board
from evolve.queries.leaderboard import tried
from evolve.runs.find import choose_method, find_method, find_run, reading
from evolve.runs.process import is_running
from evolve.text import short

_KEY = click.argument("method", required=False, metavar="[ID|NAME]")


@click.command()
@db_option
@json_option
def status(db: Path | None, as_json: bool) -> None:
    """Where a run stands: evaluations, best, baselines, budget."""
    from evolve.cli.show.run import print_status
    from evolve.cli.show.tables import POINTS
    from evolve.queries import diversity
    from evolve.queries.status import run_status

    path = find_run(db)
    with reading(path) as archive:
        now = run_status(archive, alive=is_running(path), points=diversity.POINTS if as_json else POINTS)
    answer(now, as_json, print_status)


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
@click.option("--origin", type=click.Choice(["seed", "search", "added"]), help="Only methods from there.")
@click.option("--pareto", is_flag=True, help="Only methods that no other beats on every search domain.")
@db_option
@json_option
def top(limit: int, db: Path | None, as_json: bool, **asked: Any) -> None:
    """The best methods of a run, by fitness: the lower confidence bound of their PGR on dev instances.

    Selection flatters dev scores; where a method was judged on fresh instances too, inflation is dev minus fresh.
    """
    from evolve.cli.show.run import print_ranking

    wanted = Wanted(**asked)
    with reading(find_run(db)) as archive:
        rows, among = board(archive, wanted, limit), tried(archive)
    answer(rows, as_json, lambda rows: print_ranking(rows, among, wanted))


@click.command()
@_KEY
@click.option("--prompt", "with_prompt", is_flag=True, help="Also print the prompt and the reply it came from.")
@click.option(
    "--card", "card_only", is_flag=True, help="Only the feedback card: what a model or an agent may see of its scores."
)
@db_option
@json_option
def show(method: str | None, with_prompt: bool, card_only: bool, db: Path | None, as_json: bool) -> None:
    """One method (default: the best): its source, scores on every split, parents, idea and cost."""
    from evolve.cli.show.run import print_dossier
    from evolve.queries.method import method_details

    if card_only:
        _card(method, db, as_json)
        return
    with reading(find_run(db)) as archive:
        facts = method_details(archive, choose_method(archive, method))
    answer(facts, as_json, lambda facts: print_dossier(facts, with_prompt=with_prompt))


def _card(method: str | None, db: Path | None, as_json: bool) -> None:
    """Print a method's feedback card, as the run's prompts show it."""
    from evolve.prompting.cards import told
    from evolve.queries.card import card_of

    with reading(find_run(db)) as archive:
        card = card_of(archive, choose_method(archive, method))
    answer(card, as_json, lambda card: click.echo(f"{card.name}\n{told(card)}"))


@click.command()
@_KEY
@click.argument("other", required=False, metavar="[ID|NAME]")
@db_option
@json_option
def diff(method: str | None, other: str | None, db: Path | None, as_json: bool) -> None:
    """What a method (default: the best) changed, against its first parent or any other method."""
    from evolve.cli.show.console import diff as print_diff
    from evolve.queries.changes import change, first_parent

    with reading(find_run(db)) as archive:
        after = choose_method(archive, method)
        before = first_parent(archive, after, method or short(after)) if other is None else find_method(archive, other)
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
    from evolve.cli.show.lineage import print_pedigree
    from evolve.queries.lineage import lineage_of

    with reading(find_run(db)) as archive:
        tree = lineage_of(archive, choose_method(archive, method))
    answer(tree, as_json, print_pedigree)


@click.command(name="map")
@click.option("--island", type=click.IntRange(0), help="Only this island.")
@db_option
@json_option
def map_(island: int | None, db: Path | None, as_json: bool) -> None:
    """The grid of a run as a heat map: all islands together, then each."""
    from evolve.cli.show.console import heat_map, legend, say
    from evolve.queries.heat_maps import heat_maps

    with reading(find_run(db)) as archive:
        maps = heat_maps(archive, island)
    if as_json:
        echo_json([asdict(heat) for heat in maps])
        return
    for heat in maps:
        heat_map(heat)
        say()
    legend()


@click.command()
@click.option("-n", "limit", type=click.IntRange(1), default=20, show_default=True, help="How many reasons.")
@click.option("--status", "only", help="Only this status, for example CRASHED or REFUSED.")
@db_option
@json_option
def failures(limit: int, only: str | None, db: Path | None, as_json: bool) -> None:
    """Why candidates failed: by status and reason, with the newest example of each.

    REFUSED: by the operator or the screen, before it was judged. UNANSWERED: the model gave no answer. LOST: our fault, and
    never held against the method. Reasons that differ only in a method's id are counted as one.
    """
    from evolve.cli.show.tables import print_failures
    from evolve.queries.failures import by_status
    from evolve.queries.failures import failures as lines

    with reading(find_run(db)) as archive:
        every = lines(archive, None)
    statuses, wanted = by_status(every, only)
    if as_json:
        echo_json({"statuses": statuses, "reasons": len(wanted), "failures": [asdict(line) for line in wanted[:limit]]})
    else:
        print_failures(statuses, wanted, limit)


@click.command()
@db_option
@json_option
def costs(db: Path | None, as_json: bool) -> None:
    """What each model cost: calls, tokens, dollars, and what was gained for them; calls that were cut off stand apart.

    A price that is not known is unknown, never 0. Gain is the sum of what children that became elites gained in fitness.
    """
    from evolve.cli.show.tables import print_costs
    from evolve.queries.costs import costs as lines
    from evolve.queries.costs import lost_calls

    with reading(find_run(db)) as archive:
        models, lost = lines(archive), lost_calls(archive)
        trials = archive.rows("select count(*) as n, total(seconds) as seconds from evaluations")[0]
    if as_json:
        every = [{**asdict(line), "gain_per_usd": line.per_dollar} for line in models]
        facts = {"models": every, "lost": [asdict(line) for line in lost]}
        echo_json({**facts, "evaluations": trials["n"], "evaluation_seconds": trials["seconds"]})
    else:
        print_costs(models, lost, trials)


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("-n", "limit", type=click.IntRange(1), default=20, show_default=True, help="How many hits.")
@db_option
@json_option
def find(text: tuple[str, ...], limit: int, db: Path | None, as_json: bool) -> None:
    """Full text over a run: methods' code, ideas, directions.

    A text is found when it holds every word of TEXT, in any order and either case, also inside longer words. Texts that hold
    TEXT as a whole come first, then the fittest methods. For a TEXT that begins with a dash, write `find -- -1.5`.
    """
    from evolve.cli.show.tables import print_found
    from evolve.queries.full_text import find as search

    with reading(find_run(db)) as archive:
        found = search(archive, " ".join(text), limit)
    answer(found, as_json, print_found)
