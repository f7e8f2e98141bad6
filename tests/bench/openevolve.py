"""The engine beside OpenEvolve, in one alternating run: `python -m tests.bench.openevolve THEIR_PYTHON [CANDIDATES] [ROUNDS]`.

THEIR_PYTHON is the interpreter of a throw-away environment, outside this checkout, that has OpenEvolve:

    python -m venv ../openevolve && ../openevolve/bin/pip install openevolve==0.4.0
    python -m tests.bench.openevolve ../openevolve/bin/python

Both ask the same server on loopback, a process of its own that answers every request with another whole file, at once or after
2 s; both evaluate by sleeping, 1 ms or 1 s, and score a file by its hash. Each runs in a process of its own, theirs from one
first program, ours from twelve seeds, and notes when its evaluations begin and end. Wall clock is read off these notes, CPU off
the kernel's counts of the process and all its children; both from the end of the first quarter of the candidates to the end of
the last, so that no start-up is in either. The share of the pipeline is from the end of the first programs' evaluations on.

Set for theirs: two parallel evaluations, which are its worker processes, each of which also waits for its model
(`evaluator.parallel_evaluations`, its own setting for that); whole files instead of diffs, as the server answers
(`diff_based_evolution: false`); no cascade, as the evaluator has no stages. All else is its default. Set for ours: two workers,
the operator `rewrite`, no offline operators; all else, such as the calls at once, is the default.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from evolve import models
from evolve.config import Config
from evolve.screening.worker import WorkerProcess
from fitness.nouns import Evaluation, Method
from fitness.vault.instance import InstanceName
from tests.bench.engine import ROOT, SEEDS, TICKS, Stand, bred, written

THEIRS = """
import sys
from pathlib import Path
from openevolve import run_evolution
from openevolve.config import Config, LLMModelConfig

folder, url, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
config = Config(max_iterations=count, log_level="WARNING", diff_based_evolution=False, language="python")
config.llm.api_base, config.llm.api_key, config.llm.models = url, "none", [LLMModelConfig(name="tiny")]
config.llm.update_model_params({"api_base": url, "api_key": "none", "temperature": 0.7, "max_tokens": 4096,
                                "timeout": 60, "retries": 3, "retry_delay": 5})
config.evaluator.parallel_evaluations, config.evaluator.cascade_evaluation = 2, False
run_evolution(str(folder / "first.py"), str(folder / "evaluator.py"), config, count, str(folder / "out"), cleanup=False)
"""
EVALUATOR = """
import hashlib, os, time
def evaluate(path):
    began = time.monotonic()
    time.sleep({seconds})
    with open(path, "rb") as file:
        value = int.from_bytes(hashlib.sha256(file.read()).digest()[:4], "big") / 2**32
    with open({log!r}, "a") as log:
        log.write(f"{{began}} {{time.monotonic()}}\\n")
    return {{"combined_score": value}}
"""


@dataclass(frozen=True)
class Noted:
    """What was noted of one run: when evaluations began and ended, and CPU seconds after the first quarter and at the end."""

    spans: list[tuple[float, float]]
    began: float
    cpu: tuple[float, float]

    @property
    def most(self) -> int:
        """The most evaluations at once."""
        marks = sorted([(began, 1) for began, _ in self.spans] + [(ended, -1) for _, ended in self.spans])
        now = most = 0
        for _, change in marks:
            now += change
            most = max(most, now)
        return most

    @property
    def each(self) -> tuple[float, float]:
        """Milliseconds of wall clock and of CPU a candidate, after the first quarter."""
        ends = sorted(ended for _, ended in self.spans)
        first, count = ends[len(ends) // 4 - 1], len(ends) - len(ends) // 4
        return 1000 * (ends[-1] - first) / count, 1000 * (self.cpu[1] - self.cpu[0]) / count

    @property
    def share(self) -> float:
        """The share of the reachable pipeline, for a model of 2 s and two evaluations of 1 s at once."""
        return (2 + len(self.spans) / 2) / (max(ended for _, ended in self.spans) - self.began)


class Logged(Stand):
    """A stand that notes when its evaluations begin and end."""

    def __init__(self, seconds: float, log: Path) -> None:
        super().__init__(seconds)
        self._log = log

    def evaluate(
        self, method: Method, instances: Sequence[InstanceName], rival: Sequence[float] = (), draw: str = ""
    ) -> Evaluation:
        """Evaluate, and write it down."""
        began = time.monotonic()
        evaluation = super().evaluate(method, instances, rival)
        with self._log.open("a") as log:
            log.write(f"{began} {time.monotonic()}\n")
        return evaluation


class _Handler(BaseHTTPRequestHandler):
    """Answers every request with another whole file, after so many seconds."""

    protocol_version, seconds, asked, lock = "HTTP/1.1", 0.0, 0, threading.Lock()
    disable_nagle_algorithm = True  # headers and body are two writes: without this the client waits 40 ms for the second

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.lock:
            type(self).asked += 1
            number = self.asked
        time.sleep(self.seconds)
        text = f"IDEA: combine some more\n\n```python\n{written(number)}```\n"
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300}
        body = json.dumps(
            {"id": "1", "object": "chat.completion", "created": 0, "model": "tiny", "choices": [choice], "usage": usage}
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


def serve(seconds: float) -> None:
    """Serve until the process is ended."""
    _Handler.seconds = seconds
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    server.serve_forever()


def ours(folder: Path, url: str, count: int, seconds: float) -> None:
    """Run our engine (in a process of its own)."""
    config = Config(evals=count, workers=2, model=("openai:tiny",), offline_share=0)
    with WorkerProcess() as syntax:
        bred(
            folder,
            config,
            Logged(seconds, folder / "log"),
            {"openai:tiny": models.load("openai:tiny", url)},
            ["rewrite"],
            syntax,
        )


@contextmanager
def _server(seconds: float) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.bench.openevolve", "serve", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def run(python: str, url: str, count: int, seconds: float) -> Noted:
    """Run theirs, or ours when `python` is "", and note what it takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "log"
        (folder / "evaluator.py").write_text(EVALUATOR.format(seconds=seconds, log=str(log)))
        (folder / "first.py").write_text(f"# EVOLVE-BLOCK-START\n{written(-1)}# EVOLVE-BLOCK-END\n")
        command = [python, "-c", THEIRS, name, url, str(count)]
        if not python:
            command = [sys.executable, "-m", "tests.bench.openevolve", "ours", name, url, str(count), str(seconds)]
        seeds, quarter, cpu, cwd = (1 if python else SEEDS), 0.0, 0.0, name if python else ROOT
        with (folder / "said").open("w") as said, subprocess.Popen(command, stdout=said, stderr=said, cwd=cwd) as process:
            while process.poll() is None:
                done = log.read_text().count("\n") if log.exists() else 0
                used = _cpu(process.pid) if done < seeds + count else 0.0
                quarter, cpu = used if done < seeds + count // 4 else quarter, max(cpu, used)
                time.sleep(0.01)
        lines = [line.split() for line in log.read_text().splitlines()]
        if len(lines) < seeds + 0.9 * count:
            raise SystemExit(f"only {len(lines)} evaluations: {(folder / 'said').read_text()[-2000:]}")
        spans = sorted((float(began), float(ended)) for began, ended in lines)
    return Noted(spans[seeds:], max(ended for _, ended in spans[:seeds]), (quarter, cpu))


def _cpu(process: int) -> float:
    """Return the CPU seconds of a process and all below it, the ended ones included."""
    found, parents = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            number = int(entry.name)
            parents[number], found[number] = int(fields[1]), sum(map(int, fields[11:15])) / TICKS
    return sum(used for number, used in found.items() if _below(number, process, parents))


def _below(number: int, process: int, parents: dict[int, int]) -> bool:
    while number not in (process, 0, 1) and number in parents:
        number = parents[number]
    return number == process


def compare(python: str, count: int, rounds: int) -> None:
    """Print both, alternating, and the ratios of their medians."""
    kinds = {"ours": "", "OpenEvolve": python}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before this began")
    with _server(0.0) as url:
        found: dict[str, list[Noted]] = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for kind, program in kinds.items():
                found[kind].append(run(program, url, count, 0.001))
                wall, cpu = found[kind][-1].each
                print(f"model 0 s, evaluation 1 ms, {count} candidates: {kind} {wall:.1f} ms of wall, {cpu:.1f} ms of CPU each")
        walls, cpus = ([median(noted.each[what] for noted in found[kind]) for kind in kinds] for what in (0, 1))
        print(f"medians: theirs / ours is {walls[1] / walls[0]:.2f} in wall, {cpus[1] / cpus[0]:.2f} in CPU")
    with _server(2.0) as url:
        slow = max(20, count // 5)
        shares = []
        for kind, program in kinds.items():
            noted = run(program, url, slow, 1.0)
            shares.append(noted.share)
            text = f"{100 * noted.share:.1f} % of the reachable pipeline, at most {noted.most} evaluations at once"
            print(f"model 2 s, evaluation 1 s, {slow} candidates: {kind} {text}")
        print(f"ours / theirs is {shares[0] / shares[1]:.2f}")


def main() -> None:
    """Compare, or be one of the processes that this takes."""
    match sys.argv[1:]:
        case ["serve", seconds]:
            serve(float(seconds))
        case ["ours", folder, url, count, seconds]:
            ours(Path(folder), url, int(count), float(seconds))
        case [python, *numbers]:
            count, rounds = [*map(int, numbers), *(200, 3)[len(numbers) :]]
            compare(python, count, rounds)
        case _:
            raise SystemExit(str(__doc__).split("\n")[0])


if __name__ == "__main__":
    main()
