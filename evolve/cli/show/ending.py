"""Prints what `start` and `resume` say before and after a run: unfinished runs, keys, the final table, the paths."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from archives.archive import Archive
from evolve import models
from evolve import text as clean
from evolve.cli.show import again
from evolve.cli.show.console import console, paragraph, say, table
from evolve.config import Config
from evolve.errors import EvolveError
from evolve.files import newest_runs
from evolve.nouns import Operator
from evolve.queries.final_table import Judged
from evolve.queries.scale_table import ScaleTable, SizeLine, scale_table
from evolve.queries.words import words_of
from evolve.report.progress import clock, span
from evolve.runs.process import is_running
from evolve.runs.session import Ending
from evolve.search.final_result import Result
from fitness.pgr import FEWEST

FILE = 1000  # columns of a table that no screen holds
MANY = 6  # domains, of which each has a row then, not a column


def say_unfinished(as_json: bool) -> None:
    """Name the newest run that was not finished, and how to go on with it."""
    if as_json:
        return
    for other in newest_runs()[:5]:
        try:
            with contextlib.closing(Archive.open(other)) as archive:
                state = archive.run().state
        except EvolveError:
            continue
        if state != "finished" and not is_running(other):
            click.echo(f"{other} is unfinished; to go on with it instead: python -m evolve resume --db {other}")
            return


def say_keys(config: Config, as_json: bool) -> None:
    """When a key is found but no model was asked for, print the line that would use it. Nothing is spent."""
    if not as_json and not config.model:
        for flags in models.found_keys():
            click.echo(f"a key was found; to use it (nothing is spent without --model): python -m evolve start {flags}")


def say_end(end: Ending, config: Config, files: dict[str, Path], as_json: bool, operators: Sequence[Operator] = ()) -> None:
    """Print how a session ended, what was written of it, and how to go on; `operators` are the user's own."""
    if as_json:
        result = asdict(end.result) | {"shown": end.result.shown, "inflation": end.result.inflation} if end.result else None
        named = ("verdict", "interrupted", "evaluations", "seconds", "device", "engine_seconds")
        sizes = _sizes(end.path)
        ending = {"db": end.path, **{name: getattr(end, name) for name in named}, "result": result, "files": files}
        ending["scale"] = asdict(sizes) if sizes else None
        click.echo(clean.as_json({"end": ending}, default=str))
        return
    if end.result:
        _table(end.result, _compared(end.path))
        if sizes := _sizes(end.path):
            _scale(sizes)
    share = 100 * end.engine_seconds / max(end.seconds, 1e-9)
    judged = clean.count(end.evaluations, "evaluation")
    click.echo(f"{judged} in {clock(end.seconds)}, of which the engine itself used {share:.1f} %")
    if end.interrupted:
        click.echo(f"stopped; to go on: {again.resume(end.path, config, operators)}")
    elif not end.result:
        _say(end.verdict)
        to_go_on = again.resume(end.path, config, operators)
        click.echo(f"to go on: {to_go_on}   (with a larger budget: --evals +100, or --minutes M)")
    click.echo(f"  database  {end.path}")
    for name, path in files.items():
        click.echo(f"  {name:<9} {path}")
    another = again.start(config, operators)
    if not config.model:
        click.echo(f"  with a model  {another} --model openai:NAME --usd 5   (--base-url URL for a local server)")
    if end.device == "cpu":
        click.echo(f"  with a GPU    {another} --device cuda   (needs a PyTorch for CUDA: docs/gpu.md)")


def write(end: Ending) -> dict[str, Path]:
    """Write the report and the champion's file beside the archive; return their paths."""
    from evolve.report.export import write_best
    from evolve.report.html.page import write_report

    with contextlib.closing(Archive.open(end.path)) as archive:
        files = {"report": write_report(archive)}
        if end.result:
            files["best.py"] = write_best(archive, end.result.champion.id)
        return files


def _compared(path: Path) -> str:
    """Return what others reached on a question like that of a run's task."""
    with contextlib.closing(Archive.open(path)) as archive:
        return words_of(archive).compared


def _table(result: Result, compared: str = "") -> None:
    """Print the final table: a row a method, a column a domain; the other way round where there are many domains."""
    widened = [line.few and line.instances >= FEWEST for line in result.lines]
    heads = [f"{line.domain} ({line.instances}{'*' if few else ''})" for line, few in zip(result.lines, widened)]
    rows = [
        ["", *heads],
        *(
            [f"{one.place}, {one.name}", *(span(line.intervals[place]) for line in result.lines)]
            for place, one in enumerate(result.contenders)
        ),
    ]
    if len(heads) > MANY:
        rows = [list(column) for column in zip(*rows)]
    say()
    paragraph("PGR on instances that selection never saw, with 90 % intervals:")
    table(rows[0], rows[1:], words=(), width=_screen())
    if any(widened):
        _say("* held out, few instances: their spread is taken to be at least that of all methods on the search domain")
    _say(result.verdict)
    for one in result.contested:
        place = "lost its place" if one.flagged else "keeps its place"
        _say(f"contested, {one.name} ({place}), fresh {span(one.pgr)}: {'; '.join(one.evidence)}")
    _say(
        f"the best of {result.tried} methods on dev; inflation {result.inflation:+.2f}: "
        f"dev {result.dev:.2f} minus fresh {result.fresh:.2f}"
    )
    if compared:
        _say(f"for comparison, not the same task: {compared}")
    say()


def _sizes(path: Path) -> ScaleTable | None:
    with contextlib.closing(Archive.open(path)) as archive:
        return scale_table(archive)


def _scale(sizes: ScaleTable) -> None:
    """Print the champion and the human best on each size of model."""
    paragraph("PGR on instances of each size of model, with 90 % intervals; both methods were handed the same rows:")
    rows = [
        [f"{line.size} ({line.instances})", _judged(line.champion), _judged(line.human), _change(line)] for line in sizes.lines
    ]
    table(["size", "best", "human best", "difference"], rows, words=(), width=_screen())
    _say(sizes.sentence)
    say()


def _judged(side: Judged) -> str:
    return side.status if side.pgr is None else clean.estimate(side.pgr, side.pgr_low, side.pgr_high, side.instances)


def _change(line: SizeLine) -> str:
    if line.difference is None:
        return clean.NONE
    return f"{clean.number(line.difference, sign=True)} {clean.interval(line.low, line.high, line.instances)}".strip()


def _screen() -> int:
    """Return the columns of the screen; a file or a pipe has as many as it takes, unless COLUMNS says otherwise."""
    return console().width if sys.stdout.isatty() or os.environ.get("COLUMNS") else FILE


def _say(text: str) -> None:
    """Print a sentence, wrapped and indented."""
    click.echo(click.wrap_text(text, min(console().width - 1, 88), "  ", "    "))
