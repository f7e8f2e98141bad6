"""Is the command line: a table of verbs, each loaded when it is used, so that `--help` stays fast.

- options: flags that several verbs share
- show/: prints for people
- verbs/: parses, calls, prints
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module

import click

from evolve import __version__
from fitness.nouns import EvolveError

VERBS: dict[str, tuple[str, str]] = {
    "start": ("evolve.cli.verbs.run:start", "Breed methods: a new search on the embedded task (no key, no GPU needed)."),
    "resume": ("evolve.cli.verbs.run:resume", "Go on with a run, with what is left of its budget or more."),
    "seed": ("evolve.cli.verbs.seed:seed", "List the human baselines, or check your own files and add them to a run."),
    "task": ("evolve.cli.verbs.task:task", "Write a task of your own, check it before a search, show it."),
    "new": ("evolve.cli.verbs.new:new", "Write a method file to begin with: it judges OK as it is."),
    "judge": (
        "evolve.cli.verbs.judge:judge",
        "Judge method files outside any run: PGR with interval, alone or against another method.",
    ),
    "promote": (
        "evolve.cli.verbs.promote:promote",
        "The best methods of a run where trials are dear: another task, or another fidelity.",
    ),
    "status": ("evolve.cli.verbs.inspect:status", "Where a run stands: evaluations, best, baselines, budget."),
    "top": ("evolve.cli.verbs.inspect:top", "The best methods of a run."),
    "show": ("evolve.cli.verbs.inspect:show", "One method: source, scores, prompt, reply, idea."),
    "diff": ("evolve.cli.verbs.inspect:diff", "What a method changed, against its parent or any other."),
    "lineage": ("evolve.cli.verbs.inspect:lineage", "A method's ancestors down to the seeds, with the gain of each edge."),
    "map": ("evolve.cli.verbs.inspect:map_", "The grid of a run, as a heat map."),
    "failures": ("evolve.cli.verbs.inspect:failures", "Why candidates failed, by status and reason."),
    "costs": ("evolve.cli.verbs.inspect:costs", "What each model cost, and what was gained for it."),
    "find": ("evolve.cli.verbs.inspect:find", "Full text over methods' code, ideas, directions."),
    "sealed": ("evolve.cli.verbs.sealed:sealed", "Open the sealed instances for a method: counted, logged, budgeted."),
    "replay": ("evolve.cli.verbs.replay:replay", "A recorded run again, offline: is everything the same?"),
    "compare": ("evolve.cli.verbs.compare:compare", "Strategies of search at equal budget, with intervals."),
    "credit": (
        "evolve.cli.verbs.credit:credit",
        "Which steps of a champion's lineage gained, and what holds on fresh instances.",
    ),
    "report": ("evolve.cli.verbs.report:report", "One self-contained page about a run."),
    "ui": ("evolve.cli.verbs.ui:ui", "The same page live, on this machine only."),
    "export": ("evolve.cli.verbs.report:export", "The best methods as files that say where they came from."),
    "archive": ("evolve.cli.verbs.archive:archive", "Check, copy (also a live run), merge or re-grid archives."),
    "doctor": ("evolve.cli.verbs.doctor:doctor", "Which walls, devices and providers this machine has."),
}


STOPPED = 130  # exit code after a Ctrl-C that was not a clean stop


class _Verbs(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order a newcomer meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb, or suggest the nearest one."""
        if cmd_name not in VERBS:
            return None
        module, name = VERBS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb. Raises click.UsageError with the nearest verbs when there is none of that name."""
        if args and args[0] not in VERBS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, n=2)
            hint = f" Did you mean {' or '.join(near)}?" if near else f" The verbs are {', '.join(VERBS)}."
            raise click.UsageError(f"There is no verb {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, about) for name, (_, about) in VERBS.items()])


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="evolve")
def cli() -> None:
    """Breed Python methods for an alignment question, scored on PGR in a sandbox that never sees an answer.

    Begin with `python -m evolve start`.
    """


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code: 0, 2 usage, 3 budget refused, 4 sandbox unavailable, 1 a bug."""
    from evolve.report import streams

    streams.prepare()
    try:
        result = cli.main(list(arguments), prog_name="python -m evolve", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return 2
    except EvolveError as error:
        return _say(str(error), error.exit_code)
    except (OSError, UnicodeEncodeError) as error:
        if why := _fault_of_a_name(error, arguments):
            return _say(why, 2)
        raise
    except (KeyboardInterrupt, click.Abort):
        print("evolve: stopped", file=sys.stderr)
        return STOPPED
    except streams.ReaderGone:
        return 0


def _say(sentence: str, exit_code: int) -> int:
    """Print why a verb ended, and return its exit code."""
    from evolve.text import clean

    print(f"evolve: {clean(sentence)}", file=sys.stderr)  # it may quote an archive, a file or a server
    return exit_code


def _fault_of_a_name(error: OSError | UnicodeEncodeError, arguments: Sequence[str]) -> str:
    """Return what is wrong with a name that the user gave, or one made from it; "" when the error is about something else."""
    from evolve.text import one_line

    words = [*_words(arguments)]
    if isinstance(error, UnicodeEncodeError):
        given = next((word for word in words if not _is_text(word) and word in error.object), "")
        return given and f"{one_line(given, 40)} is no text in UTF-8: nothing in a run is called that"
    path = str(error.filename or "")
    named = any(os.path.abspath(path).startswith(os.path.abspath(word)) for word in words if path)
    if error.errno != errno.ENAMETOOLONG and not named:
        return ""
    return f"cannot use {one_line(path, 80)}: {error.strerror}; name another"


def _words(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments, and what is behind the = of a flag."""
    for argument in arguments:
        yield from filter(None, (argument, argument.partition("=")[2]))


def _is_text(word: str) -> bool:
    try:
        return bool(word.encode())
    except UnicodeEncodeError:
        return False
