"""Runs the verbs `start` and `resume`: the main job."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.options import db_option, device_option, operator_option, own_option, trust_option
from evolve.errors import UsageError
from evolve.report import streams
from evolve.runs.find import find_run

if TYPE_CHECKING:
    from evolve.config import Config
    from evolve.nouns import Operator
    from evolve.observer import Observer, Snapshot
    from evolve.runs.checks import Given
    from evolve.runs.session import Ending

tracker_option = click.option(
    "--tracker",
    "trackers",
    multiple=True,
    metavar="NAME",
    help="Have wandb, trackio, mlflow or tensorboard follow the run; on this machine only, unless its own settings say else.",
)

scale_option = click.option(
    "--scale-check",
    is_flag=True,
    default=None,
    help="At the end, judge the champion on each size of model of the task scale: does its gain hold at the largest?",
)


@click.command()
@click.option(
    "--task",
    help="The task to search on: embedded (the default), truth, scale, w2s or lm on --data, or your own as "
    "path/to/task.py[:NAME].",
)
@click.option("--data", metavar="DIR", help="Your own data for the tasks w2s and lm: a folder with a folder a domain in it.")
@click.option("--domain", multiple=True, metavar="NAME", help="A search domain, or several (default: the task's first).")
@click.option("--seeds", "seeds", multiple=True, metavar="PATH...", help="More seeds: method files, or folders of them.")
@click.option(
    "--model",
    "model",
    multiple=True,
    metavar="SPEC",
    help="A language model as provider:name (openai:NAME, anthropic:NAME, command:PROGRAM). May cost money.",
)
@click.option("--base-url", metavar="URL", help="Base URL of an OpenAI-compatible server for --model openai:NAME.")
@click.option(
    "--strategy",
    metavar="NAME",
    help="How to search: map-elites (default), islands, hillclimb, sequential, iid, random, tune, or your own as FILE:NAME.",
)
@operator_option
@click.option("--islands", type=int, help="Populations that evolve apart.")
@click.option("--evals", type=int, metavar="N", help="Methods to judge; seeds and retries not counted.")
@click.option("--usd", type=float, metavar="X", help="What model calls may cost in all, in dollars.")
@click.option("--tokens", type=int, metavar="N", help="Tokens that model calls may use in all.")
@click.option("--minutes", type=float, metavar="M", help="Stop breeding after this long.")
@click.option("--workers", type=int, help="Evaluations at once; 1 makes a run repeat exactly.")
@click.option("--executor", help="Where methods are judged: local (default), or your own as FILE:CLASS.")
@tracker_option
@device_option
@click.option("--seed", type=int, help="Seed of the run's random generators.")
@trust_option
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="A config file (default: evolve.toml, if present)."
)
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any setting of evolve.toml.")
@click.option("--db", type=click.Path(path_type=Path), help="Where to write the archive (default: runs/DATE-TIME.db).")
@scale_option
@click.option("--dry-run", is_flag=True, help="Print the worst cost and time, and do nothing.")
@click.option("--gpu-hours", type=float, metavar="H", help="With --dry-run, for the task lm: what fits into so many GPU-hours.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines: events, snapshots, and the result.")
@click.argument("more_seeds", nargs=-1, metavar="")
def start(**flags: Any) -> None:
    """Breed methods that beat the human baselines: a new search.

    Needs no key, no GPU and no download. Never spends money unless --model is given. Ctrl-C stops cleanly; `resume` goes on.
    """
    from evolve import trackers
    from evolve.config import DEFAULT_FILE, parse_set, read_file, resolve
    from evolve.runs.checks import Given, admitted

    handed = Given(operators=flags.pop("operators"))
    db, dry_run, as_json = flags.pop("db"), flags.pop("dry_run"), flags.pop("as_json")
    gpu_hours = flags.pop("gpu_hours")
    more, file, pairs = flags.pop("more_seeds"), flags.pop("config_file"), flags.pop("pairs")
    if more and not flags["seeds"]:
        raise UsageError(f"start takes no argument {more[0]!r}: to add seed files write --seeds {' '.join(more)}")
    flags["seeds"] = (*flags["seeds"], *more)
    flags["trust_methods"] = flags.pop("trust") or None
    file = file or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    given = {k: v for k, v in flags.items() if v != ()}
    config = admitted(resolve(read_file(file) if file else {}, parse_set(pairs), given))
    trackers.check(config.trackers)
    if dry_run:
        from evolve.cli.show.estimate import estimate

        _check_place(db)
        estimate(config, as_json, handed, gpu_hours)
        return
    if gpu_hours is not None:
        raise UsageError("--gpu-hours says with --dry-run what would fit; a search is limited with --minutes")
    from evolve.cli.show import ending
    from evolve.runs import session
    from evolve.runs.process import claimed

    with claimed(db) as path:
        ending.say_unfinished(as_json)
        ending.say_keys(config, as_json)
        notes = [f"run {path}: {config.evals} evaluations on {config.task}/{config.domain}, seed {config.seed}"]
        _search(config, path, as_json, notes, handed, lambda watch: session.start(config, path, watch, handed))


def _check_place(db: Path | None) -> None:
    """Raise EvolveError when no run can begin at a path, or in runs/ without one; nothing is made."""
    from archives.archive import holds_no_run
    from archives.sqlite.place import check_new
    from evolve.files import check_folder, new_names

    path = next(new_names()) if db is None else db
    if not holds_no_run(path):
        check_new(path)
    check_folder(path.parent)


@click.command()
@db_option
@own_option
@operator_option
@click.option("--evals", metavar="N|+N", help="New total of evaluations, or how many more.")
@click.option("--usd", type=float, metavar="X", help="New limit of what model calls may cost in all.")
@click.option("--tokens", type=int, metavar="N", help="New limit of the tokens that model calls may use in all.")
@click.option("--minutes", type=float, metavar="M", help="New limit of the run's minutes in all.")
@click.option("--workers", type=int, help="Evaluations at once.")
@click.option("--executor", help="Where methods are judged, instead of where the run's were.")
@click.option("--model", "model", multiple=True, metavar="SPEC", help="The models to go on with, instead of the run's.")
@click.option("--base-url", metavar="URL", help="Base URL of the model's server, when it is not the one the run began with.")
@tracker_option
@device_option
@trust_option
@scale_option
@click.option("--with-parent", is_flag=True, hidden=True, help="Stop when standard input ends.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines: events, snapshots, and the result.")
def resume(
    db: Path | None, evals: str | None, trust: bool, with_parent: bool, as_json: bool, operators: tuple[Operator, ...],
    **others: Any,
) -> None:  # fmt: skip
    """Go on with a run, with what is left of its budget or more.

    Candidates that were in flight are tried again; nothing that was finished or paid for is done twice.
    """
    from evolve import trackers
    from evolve.runs import process, session
    from evolve.runs.checks import Given, continuation

    if with_parent:
        process.stop_with_parent()
    trackers.check(others["trackers"])
    to_do = continuation(find_run(db), {**others, "trust_methods": trust or None, "evals": evals})
    followed, missing = trackers.usable(to_do.config.trackers, others["trackers"])
    config, path = to_do.config.model_copy(update={"trackers": followed}), to_do.path
    notes = [to_do.note, *missing]
    handed = Given(operators)
    _search(config, path, as_json, notes, handed, lambda watch: session.resume(path, to_do.changes, watch, handed))


def _search(
    config: Config, path: Path, as_json: bool, notes: Sequence[str], handed: Given, work: Callable[[Observer], Ending]
) -> None:
    """Show one session of a run, have the trackers follow it, and say how it ended."""
    from evolve.cli.show import again, ending
    from evolve.report import progress
    from evolve.trackers.following import following

    to_go_on = again.resume(path, config, handed.operators)
    with following(config.trackers, path, lambda sentence: click.echo(sentence, err=True)) as trackers, streams.going_on():
        with progress.choose(as_json) as screen, _says_how_to_go_on(path, to_go_on):
            watch = _StopsUnread(screen)
            for note in notes:
                watch.event("note", note)
            end = work(trackers.beside(watch))
            watch.event("phase", "writing the report")
            files = ending.write(end)
        ending.say_end(end, config, files, as_json, handed.operators)
        trackers.end(end, files["report"])
    if streams.lost():
        stopped = f"stopped, what was judged is kept; to go on: {to_go_on}"
        how = stopped if end.interrupted else f"the run is finished: {path}"
        click.echo(f"{_unread()}; {how}", err=True)


def _unread() -> str:
    return f"nobody reads the output any more ({streams.lost()})"


class _StopsUnread:
    """Passes everything on, and stops the run, as Ctrl-C does, when nobody reads what it prints any more."""

    def __init__(self, inner: Observer) -> None:
        self._inner, self._stopped = inner, False

    def event(self, kind: str, text: str) -> None:
        """Pass it on."""
        self._inner.event(kind, text)
        self._look()

    def snapshot(self, now: Snapshot) -> None:
        """Pass it on."""
        self._inner.snapshot(now)
        self._look()

    def _look(self) -> None:
        if streams.lost() and not self._stopped:
            self._stopped = True
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _says_how_to_go_on(path: Path, command: str) -> Iterator[None]:
    """Name the command that goes on with a run when a second Ctrl-C ends it at once."""
    try:
        yield
    except KeyboardInterrupt:
        to_go_on = f"to go on: {command}" if path.exists() else "nothing was judged yet: start again"
        if streams.lost():
            click.echo(f"{_unread()}; stopped, what was judged is kept; {to_go_on}", err=True)
        elif path.exists():
            click.echo(f"stopped at once; {to_go_on}", err=True)
        raise
