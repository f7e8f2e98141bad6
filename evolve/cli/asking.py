"""The verbs that answer a question about a run: failures, costs, find. All of them only read, and work on a live run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from archives.archive import Archive
from evolve.cli.common import db_option, echo_json, find_run, json_option
from evolve.errors import UsageError


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
    from evolve.cli.answers import print_failures
    from evolve.report.tables import failures as lines

    archive = Archive.open(find_run(db))
    with archive.transaction():
        every = lines(archive, None)
    statuses: dict[str, int] = {}
    for line in every:
        statuses[line.status] = statuses.get(line.status, 0) + line.count
    if only is not None and only.upper() not in statuses:
        known = ", ".join(statuses) or "none: nothing was refused and nothing failed"
        raise UsageError(f"no candidate of this run ended as {only.upper()}: the statuses are {known}")
    wanted = [line for line in every if only is None or line.status == only.upper()]
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
    from evolve.cli.answers import print_costs
    from evolve.report.tables import costs as lines
    from evolve.report.tables import lost_calls

    archive = Archive.open(find_run(db))
    with archive.transaction():
        models, lost = lines(archive), lost_calls(archive)
        trials = archive.rows("select count(*) as n, total(seconds) as seconds from evaluations")[0]
    if as_json:
        echo_json(
            {
                "models": [{**asdict(line), "gain_per_usd": line.per_dollar} for line in models],
                "lost": [asdict(line) for line in lost],
                "evaluations": trials["n"],
                "evaluation_seconds": trials["seconds"],
            }
        )
    else:
        print_costs(models, lost, trials)


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("-n", "limit", type=click.IntRange(1), default=20, show_default=True, help="How many hits.")
@db_option
@json_option
def find(text: tuple[str, ...], limit: int, db: Path | None, as_json: bool) -> None:
    """Full text over a run: methods' code, ideas, findings, directions.

    A text is found when it holds every word of TEXT, in any order and either case, also inside longer words. Texts that hold
    TEXT as a whole come first, then the fittest methods. For a TEXT that begins with a dash, write `find -- -1.5`.
    """
    from evolve.cli.answers import print_found
    from evolve.report.finding import find as search

    archive = Archive.open(find_run(db))
    with archive.transaction():
        found = search(archive, " ".join(text), limit)
    if as_json:
        echo_json(asdict(found))
    else:
        print_found(found)
