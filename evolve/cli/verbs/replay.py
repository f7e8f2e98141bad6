"""Runs the verb `replay`: a recorded run again, offline."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archives.archive import Archive
from evolve.cli.options import db_option, echo_json, json_option, operator_option, own_option
from evolve.report.heartbeat import Waiting
from evolve.runs.find import find_run

if TYPE_CHECKING:
    from evolve.nouns import Operator

DIFFERENT = 2  # exit code when something is not the same
EVERY = 25  # steps between lines of progress


@click.command()
@db_option
@own_option
@operator_option
@click.option("--out", type=click.Path(path_type=Path), help="Keep the replayed archive here.")
@click.option("--rejudge", is_flag=True, help="Run the methods again instead of reading their trials; needs the run's vault.")
@json_option
def replay(db: Path | None, operators: tuple[Operator, ...], out: Path | None, rejudge: bool, as_json: bool) -> int:
    """Do a recorded run again and compare: ids, fitness, cells, placements and order; never the times.

    Replies, trials and the order in which things ended come from the archive, everything else is done anew. No network, no
    vault and no sandbox are needed, and nothing is spent. Exits with 2 when something differs.
    """
    from evolve.runs.replay import replay as follow

    path = find_run(db)
    recording = Archive.open(path)
    with tempfile.TemporaryDirectory() as folder:
        made = out or Path(folder) / "replay.db"
        screen = sys.stderr.isatty()
        with (
            Waiting("replaying", quiet=as_json or screen) as waiting,
            click.progressbar(length=1, label="replaying", file=sys.stderr, hidden=as_json or not screen) as bar,
        ):

            def step(done: int, steps: int) -> None:
                bar.length = steps
                waiting.at(f"replaying, step {done} of {steps}")
                if done % EVERY == 0 or done == steps:
                    bar.update(done - bar.pos)

            outcome = follow(recording, made, rejudge, step, operators)
    if as_json:
        echo_json({**asdict(outcome), "identical": outcome.identical, "db": str(path), "out": str(out) if out else None})
        return 0 if outcome.identical else DIFFERENT
    done = f"{outcome.steps} of {outcome.recorded} steps: {outcome.proposals} proposals, {outcome.methods} methods"
    click.echo(f"replayed {done}, {outcome.calls} model calls from the record")
    if outcome.identical:
        prompts = "" if outcome.note else "prompts, "
        click.echo(f"identical: ids, {prompts}replies, statuses, fitness, cells, placements and order")
    if outcome.note:
        click.echo(outcome.note)
    if outcome.problem:
        click.echo(f"the replay stopped {outcome.problem}")
    for found in outcome.differences:
        was, now = _shown(found.recorded), _shown(found.replayed)
        click.echo(f"{found.table}, row {found.row}, {found.column}: recorded {was}, replayed {now}")
    if out:
        click.echo(f"  replayed archive  {out}")
    return 0 if outcome.identical else DIFFERENT


def _shown(value: object) -> str:
    """Return a value of an archive, which may be a stranger's, as one short line."""
    from evolve.text import printable_line

    return printable_line(str(value), 80)
