"""The engine's own cost a candidate, as the archive grows: `python -m tests.bench.engine [CANDIDATES]`.

A real search with a real archive on disk, islands, grid and selection; the operator, the parser and the judge answer at once,
so that what is left is ours. Prints milliseconds of wall clock a candidate in blocks, and the ratio of the last to the first.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from archives.archive import Archive
from archives.grid import Grid
from archives.nouns import MethodRecord, RunRecord
from evolve.budget import Budget, Limit
from evolve.config import Config
from evolve.directions import DIRECTIONS
from evolve.engine import Search
from evolve.lab import Lab
from evolve.memory import Memory
from evolve.nouns import Brief, Draft, Tools
from evolve.screen import Screen, Screened
from evolve.select import Selector, Source
from evolve.watch import Snapshot
from fitness.nouns import Evaluation, Method, Score, Split, Status, Trial
from fitness.tasks import load

BLOCKS = 10


@dataclass(frozen=True)
class Instant:
    """An operator that answers at once with a new source."""

    name: str = "instant"
    needs_model: bool = False
    parents: int = 1

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Return a source nobody has seen."""
        return Draft(brief.parents[0].method.source[:1500] + f"# {rng.random()}\n", "a change")


class InstantScreen(Screen):
    """The real duplicate checks, without the parser."""

    def parse(self, source: str | bytes, name: str = "", origin: str = "search") -> Screened:
        """Make a method of any source."""
        rng = random.Random(str(source))
        sketch = tuple(rng.getrandbits(32) for _ in range(64))
        text, key = str(source), f"{rng.getrandbits(64):016x}"
        return Screened(MethodRecord(key, text, rng.randint(130, 1000), key[:8], origin, key, (rng.random(),), sketch))


class InstantJudge:
    """Ten trials of a made-up quality, at once."""

    def evaluate(self, method: Method, domain: str, split: Split, instances: Sequence[int], rival: Any = None) -> Evaluation:
        """Return an evaluation whose cell and fitness follow from the method's id."""
        rng = random.Random(method.id)
        quality, agreement = rng.gauss(0.4, 0.2), rng.uniform(0.5, 0.76)
        score = Score(quality, 0.02, 0.7, 0.6, 0.98, 3000)
        measures = {"teacher_agreement": agreement}
        trials = tuple(Trial(method.id, "embedded", domain, i, split, Status.OK, score, measures, 0.001) for i in instances)
        return Evaluation(method.id, trials, Status.OK, quality, {**measures, "size": rng.uniform(7, 10)})


class Silent:
    """Shows nothing, and notes the time of every block of candidates."""

    def __init__(self, block: int) -> None:
        self.block, self.times = block, [time.perf_counter()]

    def event(self, kind: str, text: str) -> None:
        """Ignore what happened."""

    def snapshot(self, now: Snapshot) -> None:
        """Note the time when a block is full."""
        if now.evaluations >= self.block * len(self.times):
            self.times.append(time.perf_counter())


def search(folder: Path, candidates: int, watch: Silent) -> Search:
    """Set up a search on a new archive."""
    config, task = Config(evals=candidates, workers=2), load("embedded")
    archive = Archive.create(folder / "bench.db")
    archive.add_run(RunRecord("bench", "now", task.name, "1", "v", config.model_dump_json(), 0, "running", "B", "0"))
    for direction in DIRECTIONS:
        archive.add_direction(direction)
    screen = InstantScreen(SimpleNamespace())  # type: ignore[arg-type]  # its parser is never asked
    for i in range(12):
        seed = screen.parse(f"seed {i} " + "x = 1\n" * 200, f"seed{i}", "seed").method
        assert seed is not None
        archive.add_method(seed)
    built = SimpleNamespace(progress=lambda: SimpleNamespace(done=35, total=35))
    bench = SimpleNamespace(task=task, judge=InstantJudge(), builder=built, stop=threading.Event(), syntax=None)
    operators = {"instant": Instant()}
    lab = Lab(config, archive, bench, screen, Budget(Limit(candidates)), Grid(task.measures), watch, operators, {})  # type: ignore[arg-type]  # a bench without processes
    selector = Selector(config.islands, [Source("instant", 1, "")], DIRECTIONS, config.novelty)
    return Search(lab, selector, Memory.of(archive))


def main() -> None:
    """Run the benchmark."""
    candidates = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    block = candidates // BLOCKS
    with tempfile.TemporaryDirectory() as folder:
        watch, cpu = Silent(block), time.process_time()
        search(Path(folder), candidates, watch).run()
        cpu = time.process_time() - cpu
        blocks = [1000 * (b - a) / block for a, b in zip(watch.times, watch.times[1:])]
        began = time.perf_counter()
        Memory.of(Archive.open(Path(folder) / "bench.db"))
        resume = time.perf_counter() - began
        print(f"{candidates} candidates, ms of wall clock each, by tenths: {' '.join(f'{ms:.2f}' for ms in blocks)}")
        growth, each = blocks[-1] / blocks[0], 1000 * cpu / candidates
        print(f"growth {growth:.2f}x, CPU {each:.2f} ms each, resume {resume:.2f} s")


if __name__ == "__main__":
    main()
