"""What the engine itself costs: `python -m tests.bench.engine [overhead N | pipeline N | calls N]`, or all three.

overhead   a model that answers at once, an evaluator of 1 ms: wall clock and CPU a candidate, and how they grow over N
pipeline   a model of 2 s, evaluations of 1 s, two at once: the share of the reachable N / (2 + N/2)
calls      N model calls in flight to a real server on loopback, a process of its own: the share of a core that waiting costs

Everything is the program's own but the model and the judge: archive on disk, islands, grid, selection, operators, screen and
its syntax worker (a process of its own, whose CPU is printed apart). What came out, and where: engine.md.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from archives.archive import Archive
from archives.grid import Bins
from archives.nouns import RunRecord, Usage
from evolve import models, operators
from evolve.budget import Budget, Limit
from evolve.config import Config
from evolve.nouns import Model, Reply
from evolve.observer import Snapshot
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from evolve.search.context import Judging, RunContext
from evolve.search.loop import Loop
from evolve.search.parts import assemble
from fitness.judge import Evaluator
from fitness.nouns import Evaluation, Finding, Method, Score, Status, Trial
from fitness.tasks import load
from fitness.tasks.directions import DIRECTIONS
from fitness.vault.instance import InstanceName

ROOT = Path(__file__).parents[2]
TENTHS, SEEDS = 10, 12
TICKS = os.sysconf("SC_CLK_TCK")
OPERATIONS = (
    "{a} + {b}",
    "{a} * {b}",
    "torch.maximum({a}, {b})",
    "torch.minimum({a}, {b})",
    "{a} - {b}",
    "torch.tanh({a}) * {b}",
)


@dataclass
class Author:
    """A model that writes a new method every time, after so many seconds, and notes how many ask at once."""

    name: str = "bench:author"
    seconds: float = 0.0
    asked: int = 0
    began: float = 0.0  # when it was asked first
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, system: str, prompt: str) -> Reply:
        """Write a method of a structure that nobody has seen."""
        with self.lock:
            self.asked += 1
            number = self.asked
            self.began = self.began or time.perf_counter()
        time.sleep(self.seconds)
        text = f"IDEA: combine some more\n\n```python\n{written(number)}```\n"
        return Reply(text, Usage(self.name, 1, len(prompt) // 4, len(text) // 4, 0.001, self.seconds))

    def worst_case(self, system: str, prompt: str) -> Usage:
        """Return a bound."""
        return Usage(self.name, 1, len(system + prompt), 16_384, 0.05)


def written(number: int) -> str:
    """Return the source of a method, another structure for each number."""
    rng = random.Random(str(number))  # of a number, -1 would be as good as 1
    names, lines = ["problem.train_x", "problem.weak"], []
    for step in range(12):
        a, b = rng.choice(names), rng.choice(names)
        lines.append(f"    x{step} = {rng.choice(OPERATIONS).format(a=f'{a}.mean()', b=f'{b}.mean()')}")
        names.append(f"x{step}")
    body = "\n".join(lines)
    last = f"problem.test_x[:, 0].sigmoid() * x11 * {rng.random():.3f}"
    return f"import torch\n\n\ndef method(problem):\n{body}\n    return {last}\n"


class Stand(Evaluator):
    """Ten trials of a made-up quality, after so many seconds; notes how many were judged at once."""

    def __init__(self, seconds: float) -> None:
        super().__init__(load("embedded"))
        self.seconds, self.now, self.most, self.ended = seconds, 0, 0, 0.0
        self._lock = threading.Lock()

    def evaluate(
        self, method: Method, instances: Sequence[InstanceName], rival: Sequence[float] = (), draw: str = ""
    ) -> Evaluation:
        """Return an evaluation whose cell and fitness follow from the method's id."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.seconds)
        trials = tuple(self.trial(method, name) for name in instances)
        with self._lock:
            self.now -= 1
            self.ended = time.perf_counter()
        rng = random.Random(method.id)
        measures = {"teacher_agreement": rng.uniform(0.5, 0.76), "size": rng.uniform(7, 10)}
        return Evaluation(method.id, trials, Status.OK, rng.gauss(0.4, 0.2), measures)

    def trial(self, method: Method, name: InstanceName, draw: str = "") -> Trial:
        """Return a trial."""
        score = Score(random.Random(method.id).gauss(0.4, 0.2), 0.02, 0.7, 0.6, 0.98, 3000)
        place = (name.task, name.domain, name.index, name.split)
        return Trial(method.id, *place, Status.OK, score, {"teacher_agreement": 0.6}, 0.001)

    def inspect(self, method: Method, trials: Sequence[Trial], thorough: bool = False) -> tuple[Finding, ...]:
        """Find nothing."""
        return ()


class Tenths:
    """Shows nothing, and notes wall clock, CPU and that of the syntax worker when every tenth of the candidates is done."""

    def __init__(self, candidates: int, syntax: WorkerProcess) -> None:
        self.block = max(1, candidates // TENTHS)
        self.marks: list[tuple[float, float, float]] = []
        self._syntax = syntax
        self.share = 0.0  # ms of wall clock a candidate in which the engine did not wait for others, as runs print it

    def event(self, kind: str, text: str) -> None:
        """Ignore what happened."""

    def snapshot(self, now: Snapshot) -> None:
        """Note the time when a tenth is full."""
        if now.phase == "breeding" and now.evaluations >= self.block * len(self.marks):
            used = Path(f"/proc/{self._syntax.pid}/stat").read_text().rpartition(")")[2].split()
            self.marks.append((time.perf_counter(), time.process_time(), sum(map(int, used[11:13])) / TICKS))

    def each(self, what: int) -> list[float]:
        """Return the milliseconds a candidate in each tenth: of wall clock (0), CPU (1) or the worker's CPU (2)."""
        return [1000 * (after[what] - before[what]) / self.block for before, after in pairwise(self.marks)]


def bred(
    folder: Path, config: Config, judge: Stand, chosen: dict[str, Model], names: Sequence[str], syntax: WorkerProcess
) -> tuple[Tenths, RunContext]:
    """Run a search to its end in a new archive, with these operators; return what was noted, and its lab."""
    task, watch = judge._task, Tenths(config.evals, syntax)
    archive = Archive.create(folder / "bench.db")
    archive.add_run(RunRecord("bench", "now", task.name, "1", "v", config.model_dump_json(), 0, "running", "B", "0"))
    for direction in DIRECTIONS:
        archive.add_direction(direction)
    screen = Screen(syntax)
    for number in range(SEEDS):
        seed = screen.check(written(-1 - number), f"seed{number}", "seed").method
        assert seed is not None
        archive.add_method(seed)
        screen.remember(seed)
    judging = Judging(task, judge, syntax, threading.Event())
    chosen_operators = {name: operators.load(name) for name in names}
    budget, grid = Budget(Limit(config.evals)), Bins(task.measures)
    context = RunContext(
        config, archive, judging, screen, budget, grid, watch, chosen_operators, chosen, "the system text " * 500
    )
    search, began = Loop(context, assemble(context)), time.perf_counter()
    search.run()
    watch.share = 1000 * (time.perf_counter() - began - search.live.waited) / config.evals
    archive.close()
    return watch, context


def overhead(candidates: int) -> None:
    """Print the time that the engine itself uses for a candidate."""
    config = Config(evals=candidates, workers=2, model=("bench:author",), offline_share=0)
    with tempfile.TemporaryDirectory() as name, WorkerProcess() as syntax:
        folder = Path(name)
        watch, context = bred(folder, config, Stand(0.001), {"bench:author": Author()}, ["rewrite"], syntax)
        peaks = [_peak(os.getpid()), _peak(syntax.pid)]
        resume, size = _resumed(context), (folder / "bench.db").stat().st_size / 1e6
    wall, cpu, worker = map(watch.each, range(3))
    print(f"overhead, {candidates} candidates: wall {_mean(wall):.2f} ms each, CPU {_mean(cpu):.2f} ms each")
    print(f"  the engine itself, without waiting for the model, the worker and the judge: {watch.share:.2f} ms each")
    print(f"  wall by tenths {' '.join(f'{ms:.2f}' for ms in wall)}: growth {wall[-1] / wall[0]:.2f}x")
    print(f"  CPU by tenths  {' '.join(f'{ms:.2f}' for ms in cpu)}: growth {cpu[-1] / cpu[0]:.2f}x")
    print(
        f"  the screen's worker: CPU {_mean(worker):.2f} ms each; memory {peaks[0]:.0f} MB, and the worker's {peaks[1]:.0f} MB"
    )
    print(f"  archive {size:.1f} MB, read again for resume in {resume:.2f} s")


def _resumed(context: RunContext) -> float:
    """Return the seconds until a run's next candidate could set off."""
    began = time.perf_counter()
    archive = Archive.open(context.archive.path)
    again = replace(context, archive=archive, screen=Screen(context.judging.worker))
    Loop(again, assemble(again))
    seconds = time.perf_counter() - began
    archive.close()
    return seconds


def _peak(process: int | None) -> float:
    """Return the most memory that a process has had, in MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def pipeline(candidates: int) -> None:
    """Print the share of the reachable throughput."""
    config, judge = Config(evals=candidates, workers=2, model=("bench:author",), offline_share=0), Stand(1.0)
    with tempfile.TemporaryDirectory() as name, WorkerProcess() as syntax:
        author = Author(seconds=2.0)
        bred(Path(name), config, judge, {"bench:author": author}, ["rewrite"], syntax)
    seconds, reachable = judge.ended - author.began, 2 + candidates / 2
    print(
        f"pipeline, {candidates} candidates, model 2 s, evaluation 1 s, two at once (most seen {judge.most}): {seconds:.1f} s, "
        f"{100 * reachable / seconds:.1f} % of the reachable pipeline ({reachable:.0f} s)"
    )


def calls(at_once: int, seconds: float = 10.0) -> None:
    """Print what waiting for many model calls costs."""
    slow = [word for _ in range(at_once) for word in ("--fault", f"slow:{seconds}")]
    command = [sys.executable, "-m", "tests.support.model_server", "--port", "0", *slow]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        model = models.load("openai:tiny", server.stdout.readline().split()[-1])
        threads = [threading.Thread(target=model.ask, args=("system", "prompt")) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        time.sleep(seconds / 4)
        wall, cpu = time.perf_counter(), time.process_time()
        time.sleep(seconds / 2)
        share = (time.process_time() - cpu) / (time.perf_counter() - wall)
        waiting = sum(thread.is_alive() for thread in threads)
        for thread in threads:
            thread.join()
        whole = (time.process_time() - cpu) / (time.perf_counter() - wall)
        server.terminate()
    print(f"calls, {waiting} in flight: {100 * share:.2f} % of a core, {100 * whole:.2f} % when their answers are read too")


def main() -> None:
    """Run one benchmark, or all."""
    load = " ".join(f"{minutes:.1f}" for minutes in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load} before this began")
    chosen = sys.argv[1:2] or ["overhead", "pipeline", "calls"]
    number = int(sys.argv[2]) if len(sys.argv) > 2 else None
    for name in chosen:
        {"overhead": overhead, "pipeline": pipeline, "calls": calls}[name](
            number or {"overhead": 1000, "pipeline": 60, "calls": 64}[name]
        )


if __name__ == "__main__":
    main()
