"""Shows a study while it runs, as bars on a terminal and a line a minute elsewhere, and prints its table."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import click

from evolve.cli.show.console import paragraph, say, table
from evolve.observer import NullObserver
from evolve.report.heartbeat import pause
from evolve.report.progress import Plain, bar, clock, encodes_blocks, redraws
from evolve.runs import session
from evolve.study import runner
from evolve.study.outcome import SearchOutcome, read
from evolve.study.plan import Contestant, Plan
from evolve.study.preparation import is_finished, prepare
from evolve.study.progress import ProgressReader, StudyProgress
from evolve.study.rediscovery import Rediscovery
from evolve.study.table import StrategyLine, Table
from evolve.text import count, interval, one_line, short

if TYPE_CHECKING:
    from rich.progress import TaskID


BAR = 24  # columns of a bar


class Silence(AbstractContextManager["Silence"]):
    """Shows nothing of a study; what shows it does so instead."""

    @property
    def every(self) -> float:
        """Seconds between readings of the searches."""
        return float("inf")

    def __exit__(self, *_: object) -> None:
        """Nothing to put back."""

    def say(self, text: str) -> None:
        """Show what happened."""

    def show(self, searches: Sequence[StudyProgress], left: float | None) -> None:
        """Show how far the searches are, and how many seconds are left, as far as anyone can tell."""


class Told(Silence):
    """One line an event, and one every few seconds, later every minute."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def every(self) -> float:
        """Seconds between readings of the searches."""
        return pause(time.monotonic() - self._began)

    def say(self, text: str) -> None:
        """Print what happened."""
        click.echo(text)

    def show(self, searches: Sequence[StudyProgress], left: float | None) -> None:
        """Print how far the searches are that are going on."""
        going = "; ".join(f"{_name(one.contestant)}: {_stage(one)}" for one in searches if _is_going(one))
        if going:
            click.echo(f"{_finished(searches)}, {_left(left)}; {going}")


class Bars(Silence):
    """A bar for every search that is going on, and one for all."""

    every = 2.0

    def __init__(self) -> None:
        from rich.progress import Progress, TextColumn

        fields = ("task.description", "task.fields[bar]", "task.fields[stage]")
        columns = [TextColumn(f"{{{field}}}", markup=False) for field in fields]
        self._bars = Progress(*columns, transient=True)
        self._tasks: dict[str, TaskID] = {}
        self._plain = not encodes_blocks()

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        self._bars.stop()

    def say(self, text: str) -> None:
        """Print what happened, above the bars."""
        self._bars.console.print(text, markup=False, highlight=False)

    def show(self, searches: Sequence[StudyProgress], left: float | None) -> None:
        """Redraw."""
        total = sum(one.contestant.trials for one in searches)
        self._draw("all", ProgressReader.trials(searches), total, f"{_finished(searches)}, {_left(left)}")
        for one in searches:
            name = _name(one.contestant)
            if _is_going(one):
                self._draw(name, one.trials, one.contestant.trials, _stage(one))
            elif name in self._tasks:
                self._bars.remove_task(self._tasks.pop(name))

    def _draw(self, name: str, done: int, total: int, stage: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total, stage=stage, bar="")
        shown = bar(done / max(total, 1), BAR, plain=self._plain)
        self._bars.update(self._tasks[name], completed=done, stage=stage, bar=shown)


def carry_out(plan: Plan, at_once: int, quiet: bool) -> None:
    """Do what is left of a study, and say what has been done, also when it is stopped."""
    try:
        _run(plan, at_once, quiet)
    except KeyboardInterrupt:
        click.echo(f"stopped; the same command goes on: its searches are kept in {plan.folder}", err=True)
        raise


def work(plan: Plan, at_once: int) -> str:
    """Say what a study consists of."""
    searches = count(len(list(plan.contestants())), "search", "searches")
    return f"{searches} of {plan.trials:,} trials each, {at_once} at once, in {plan.folder}"


def _run(plan: Plan, at_once: int, quiet: bool) -> None:
    contestants = list(plan.contestants())
    todo = [contestant for contestant in contestants if not is_finished(contestant.path)]
    if todo:
        session.check(plan.config)
    plan.settle()
    if not todo:
        return
    if not quiet:
        click.echo(work(plan, at_once))
    with contextlib.nullcontext(NullObserver()) if quiet else Plain() as watch:
        prepare(plan, watch)
    with _display(quiet) as display:
        observer, looked = ProgressReader(contestants), time.monotonic()

        def ended(contestant: Contestant, problem: str) -> None:
            finished = _finished(observer.look())
            display.say(f"{finished}: {_name(contestant)}: {one_line(problem) if problem else _answer(contestant)}")

        def look() -> None:
            nonlocal looked
            if time.monotonic() - looked >= display.every:
                searches, looked = observer.look(), time.monotonic()
                display.show(searches, observer.left(searches))

        runner.run(plan, todo, at_once, ended, look)


def _display(quiet: bool) -> Silence:
    """Return what suits where the output goes."""
    if quiet:
        return Silence()
    return Bars() if redraws() else Told()


def _name(contestant: Contestant) -> str:
    return f"{contestant.strategy}, seed {contestant.config.seed}"


def _answer(contestant: Contestant) -> str:
    outcome = read(contestant)
    fresh = sum(outcome.fresh) / len(outcome.fresh)
    return f"fresh PGR {fresh:.2f} after {count(outcome.evaluations, 'method')}, {clock(outcome.seconds)}"


def _is_going(one: StudyProgress) -> bool:
    return one.begun and not one.finished


def _stage(one: StudyProgress) -> str:
    if one.trials >= one.contestant.trials:
        return "judging its answer"
    best = "nothing bred yet" if one.best is None else f"best so far: dev PGR {one.best:.2f}"
    return f"{one.trials:,} of {one.contestant.trials:,} trials, {best}"


def _finished(searches: Sequence[StudyProgress]) -> str:
    return f"{sum(one.finished for one in searches)} of {len(searches)} done"


def _left(seconds: float | None) -> str:
    return "time left unknown" if seconds is None else f"about {clock(seconds)} left"


def ends(line: StrategyLine) -> str:
    """Return the interval of a strategy's fresh PGR, unless it comes from too few instances."""
    few = interval(None, None, line.instances)
    return few or f"[{line.fresh_low:.3f}, {line.fresh_high:.3f}]"


def say_study(plan: Plan, found: Table, outcomes: Sequence[SearchOutcome]) -> None:
    """Print the table of a study, who is better than whom, and what the numbers mean."""
    say()
    rows = [
        [
            line.strategy,
            f"{line.fresh_pgr:.3f}",
            ends(line),
            f"{line.auc:.3f}",
            f"{line.qd_score:.2f}",
            f"{line.behaviours:.1f}",
            f"{line.evaluations:.0f}",
            "unknown" if line.usd is None else f"{line.usd:.2f}",
        ]
        for line in found.lines
    ]
    headers = ["strategy", "fresh PGR", "90 % interval", "AUC", "QD", "cells", "methods", "usd"]
    table(headers, rows, words=(0,), right=(1, 3, 4, 5, 6, 7), optional=(5, 4, 7, 6, 3))
    say()
    names = [line.strategy for line in found.lines]
    chance = {(pair.better, pair.than): pair.probability for pair in found.pairs}
    if len(names) > 1:
        paragraph("probability that the row's strategy is better than the column's", "bold")
        grid = [[one, *(_cell(chance.get((one, other))) for other in names[1:])] for one in names[:-1]]
        table(["", *names[1:]], grid, words=(0,), right=range(1, len(names)))
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
    paragraph(
        f"{name}, held out: fresh PGR {found[0].baseline:.3f}; the best of the other baselines {found[0].rest:.3f}", "bold"
    )
    rows = [
        [one.strategy, str(one.repeat), f"{one.fresh:.3f}", f"{one.distance:.3f}", short(one.nearest), _judgement(one)]
        for one in found
    ]
    table(["strategy", "search", "fresh PGR", "distance", "nearest", ""], rows, words=(5, 0), right=(1, 2, 3))
    paragraph(
        "Distance: root mean square difference in value and in the first measure over the dev instances, of the "
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
