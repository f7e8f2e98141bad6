"""A simulated task whose truth is known, and whole searches on it: `python -m tests.support.simulated [REPEATS]`.

Vault, judge, race, islands, archive and finale are the program's own; only the sandbox and the operator are simulated. Every
child is the same method with another internal seed, so the best of them is better by luck alone, and what selection adds to its
dev score can be told from what it is worth.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from archives.archive import Archive
from archives.grid import Bins
from archives.nouns import MethodRecord, Row, RunRecord
from evolve.budget import Budget, Limit
from evolve.config import Config, resolve
from evolve.nouns import Brief, Draft, Subject, Tools
from evolve.observer import Snapshot
from evolve.runs import session
from evolve.runs.session import Ending
from evolve.screening.screen import Screen, Screened
from evolve.screening.worker import WorkerProcess
from evolve.search.context import Judging, RunContext, wanted_instances
from fitness.contracts.contract import Problem
from fitness.judge import Judge
from fitness.nouns import Interval, Limits, Outcome, Split, Status
from fitness.tasks import Task, load
from fitness.tasks.directions import DIRECTIONS
from fitness.tasks.source import Draw
from fitness.vault.instance import InstanceName
from fitness.vault.vault import Vault
from tests.support.weak_to_strong import drawn_of, keep

NO_SANDBOX = cast(Any, SimpleNamespace(sandbox=SimpleNamespace(close=lambda: None)))  # nothing to end after a Ctrl-C
PGR = 0.5  # the true PGR of every method: its expectation over instances
INSTANCE_STD = 0.10  # of what an instance adds to the PGR of all methods alike
METHOD_STD = 0.15  # of what it adds to that of one method; FITNESS.md measured .01-.25
WEAK, STRONG = 0.60, 0.98  # accuracy of the teacher and of the ceiling, about those of chat
TRAIN, TEST = 400, 1000  # rows of an instance
DOUBT = 0.15  # correlation with the weak labels below which they say nothing; an intact teacher's is 2 WEAK - 1
FINE = 1e4  # a row's luck lies behind the fourth decimal of its slope: evenly spread, however components are scaled or turned
BASELINES = 2  # human baselines, no better and no worse than the children
SOURCE = "def method(problem):\n    return elicit(problem, internal_seed={seed})\n"


# drawn here, without a builder
TASK = Task(
    name="simulated", brief="Say which rows are true.", search_domains=("chat",), measures=load("embedded").measures,
    other_measures=(), limits=Limits(), margin=0.2, source="none:none",
)  # fmt: skip


def draw(rng: np.random.Generator, _domain: str = "") -> Draw:
    """Draw an instance: the truth is the sign of the first feature, a row's luck lies in the second.

    What the instance lets every method recover is how sure its teacher is, which says nothing about any row.
    """
    pgr = PGR + rng.normal(0, INSTANCE_STD)
    train_y, test_y = (rng.permutation(np.arange(rows) % 2) for rows in (TRAIN, TEST))
    train_x, test_x = (np.stack([2 * y - 1, rng.uniform(-0.5, 0.5, len(y))], 1).astype(np.float32) for y in (train_y, test_y))
    weak, teacher = teach(train_y, pgr, rng), teach(test_y, pgr, rng)
    return drawn_of(train_x, weak, test_x, test_y.astype(np.uint8), teacher, WEAK, STRONG)


def teach(labels: np.ndarray, sureness: float, rng: np.random.Generator) -> np.ndarray:
    """Return (n, 2) probabilities that are right on exactly a share WEAK of the rows."""
    answers = labels ^ (rng.permutation(len(labels)) >= WEAK * len(labels))
    return (0.5 + sureness * (np.eye(2)[answers] - 0.5)).astype(np.float32)


class Instant:
    """Stands in for the sandbox: answers at once, as an honest method of true PGR `PGR` would.

    A method's accuracy on an instance is drawn once, from the trial's seed (a function of vault, method and instance). Which
    rows it gets right depends on each row alone, and which side is true on the weak labels, as the probes expect of a method.
    """

    device = "cpu"

    def run(self, source: str, problem: Problem, limits: Limits) -> Outcome:
        """Return (n_test, 2) answers, each right with the probability drawn."""
        rng = np.random.default_rng(problem.seed)
        said = 2 * problem["weak"][:, 1] - 1
        pgr = np.abs(said).mean() + rng.normal(0, METHOD_STD)
        side = np.mean(np.sign(said * problem["train_x"][:, 0]))
        accuracy = WEAK + pgr * (STRONG - WEAK) if abs(side) > DOUBT else 0.5
        truth, luck = problem["test_x"][:, 0], FINE * problem["test_x"][:, 1] / problem["test_x"][:, 0]
        answers = (truth * side > 0) == ((luck + rng.random()) % 1 < accuracy)
        return Outcome(Status.OK, np.stack([~answers, answers], 1).astype(np.float32), 0.001)


class Reseed:
    """An operator whose every child is the same method with another internal seed."""

    name = "reseed"
    needs_model = False
    parents = 1
    subject: Subject = "parents"

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Return the method with a new seed."""
        return Draft(SOURCE.format(seed=rng.getrandbits(64)), "another internal seed")


class Unscreened(Screen):
    """Lets every source through: the screen would refuse a method that is its parent but for a seed."""

    def parse(self, source: str | bytes, name: str = "", origin: str = "search") -> Screened:
        """Make a method of any source."""
        key = hashlib.sha256(str(source).encode()).hexdigest()
        return Screened(MethodRecord(key, str(source), 256, name or key[:8], origin, key, (), (0,) * 64))

    def unique(self, screened: Screened) -> Screened:
        """Refuse nothing."""
        return screened


class Silent:
    """Shows nothing."""

    def event(self, kind: str, text: str) -> None:
        """Ignore what happened."""

    def snapshot(self, now: Snapshot) -> None:
        """Ignore where the run stands."""


@dataclass(frozen=True)
class Found:
    """What one simulated search found, as its archive keeps it.

    Attributes:
        ending: how the run ended, as `start` prints it.
        dev: the champion's interval on the instances that selected it.
        fresh: its interval on instances that nothing was selected on.
        unselected: mean dev PGR of all children, which nothing selected.
        stopped: children that the race stopped.
        flagged: children that a probe failed.
    """

    ending: Ending
    dev: Interval
    fresh: Interval
    unselected: float
    stopped: int
    flagged: int

    @property
    def inflation(self) -> float:
        """The champion's dev PGR minus its fresh PGR: what the run calls the inflation."""
        return self.dev.mean - self.fresh.mean


def search(folder: Path, seed: int, methods: int = 100, **settings: object) -> Found:
    """Search among `methods` methods of one quality with the program's own engine; the same seed finds the same."""
    task = TASK
    config = resolve({"task": task.name, "seed": seed, "evals": methods, "workers": 1, "held_out_instances": 0}, settings)
    vault = open_vault(folder, task, seed, wanted_instances(task, config))
    archive = Archive.create(folder / "run.db")
    with contextlib.closing(archive):
        ending = session._session(_context(config, archive, task, vault), NO_SANDBOX)
        return found_in(archive, ending)


def found_in(archive: Archive, ending: Ending) -> Found:
    """Return what a search found that has ended."""
    champion = archive.run().champion
    counts = archive.rows(
        "select avg(e.pgr) as pgr, sum(e.fitness is null) as stopped, sum(m.flags != '') as flagged "
        "from evaluations e join methods m on m.id = e.method where e.split = 'dev' and m.origin = 'search'"
    )[0]
    numbers = float(str(counts["pgr"])), int(str(counts["stopped"])), int(str(counts["flagged"]))
    dev, fresh = (_interval(archive.evaluations(split, champion)[-1]) for split in (Split.DEV, Split.FRESH))
    return Found(ending, dev, fresh, *numbers)


def _interval(row: Row) -> Interval:
    mean, low, high = (float(str(row[name])) for name in ("pgr", "pgr_low", "pgr_high"))
    return Interval(mean, low, high, int(str(row["trials"])))


def open_vault(
    folder: Path, task: Task, seed: int, wanted: Sequence[InstanceName], draw: Callable[[np.random.Generator, str], Draw] = draw
) -> Vault:
    """Make a vault whose key, and with it everything drawn, follows from the seed; it holds the wanted instances."""
    key = folder / "vault" / "key"
    key.parent.mkdir(parents=True)
    key.write_bytes(hashlib.sha256(f"simulated/{seed}".encode()).digest())
    vault = Vault(folder)
    for name in wanted:
        keep(vault, task, name, draw(vault.secret(task, name).rng("simulated"), name.domain))
    return vault


def _context(config: Config, archive: Archive, task: Task, vault: Vault) -> RunContext:
    """Open a run whose bench has no processes behind it: nothing is built, parsed or run elsewhere."""
    screen, stop, sandbox = Unscreened(WorkerProcess()), threading.Event(), Instant()
    begin(archive, config, task, vault, screen, [SOURCE.format(seed=number) for number in range(BASELINES)])
    judge = Judge(task, vault, sandbox, partial(vault.load, task), stop)
    judging = Judging(task, judge, WorkerProcess(), stop)
    budget = Budget(Limit(config.evals))
    return RunContext(config, archive, judging, screen, budget, Bins(task.measures), Silent(), {"reseed": Reseed()}, {})


def begin(archive: Archive, config: Config, task: Task, vault: Vault, screen: Screen, baselines: Sequence[str]) -> None:
    """Store the run, its directions and its baselines."""
    settings, where = config.model_dump_json(), vault.fingerprint
    archive.add_run(RunRecord("run", "now", task.name, task.version, where, settings, config.seed, "running", "B", "0"))
    for direction in DIRECTIONS:
        archive.add_direction(direction)
    for number, source in enumerate(baselines):
        baseline = screen.parse(source, f"baseline{number}", "seed").method
        assert baseline is not None
        archive.add_method(baseline)


def covers(interval: Interval) -> bool:
    """Tell whether an interval contains the true PGR."""
    return interval.low <= PGR <= interval.high


def summary(found: Sequence[Found]) -> str:
    """Return what searches found, in lines for people."""
    dev, fresh = [one.dev for one in found], [one.fresh for one in found]
    lifts = [interval.mean - PGR for interval in dev]
    shown = sum(one.ending.result is not None and one.ending.result.shown for one in found)
    return f"""\
{len(found)} searches among children of true PGR {PGR:.2f}: their mean dev PGR is {_mean(found, "unselected"):.3f}
champion, dev:   PGR {_mean(dev, "mean"):.3f}, 90 % interval contains the truth in {sum(map(covers, dev))} of {len(found)}
champion, fresh: PGR {_mean(fresh, "mean"):.3f}, 90 % interval contains the truth in {sum(map(covers, fresh))} of {len(found)}
dev minus truth: {fmean(lifts):+.3f} ({min(lifts):+.3f} to {max(lifts):+.3f}); dev minus fresh: {_mean(found, "inflation"):+.3f}
champions shown to beat a baseline that is as good: {shown} of {len(found)}
children a search: {_mean(found, "stopped"):.1f} stopped by the race, {_mean(found, "flagged"):.1f} flagged by a probe"""


def _mean(things: Sequence[object], name: str) -> float:
    return fmean(getattr(thing, name) for thing in things)


def main() -> None:
    """Run searches and print what they found."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as folder:
        print(summary([search(Path(folder) / str(seed), seed) for seed in range(repeats)]))


if __name__ == "__main__":
    main()
