"""What a task of one's own costs: `python -m tests.bench.own_task [--repeats N]`.

A trial of a method that answers at once, on the embedded task and on a task file whose instances are as large; and the memory
of the trusted process, which hands out 100,000 x 512 float32 numbers (205 MB).
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from statistics import median

from fitness import tasks
from fitness.judge import Judge
from fitness.nouns import Method, Split, Status
from fitness.sandbox.sandbox import Sandbox
from fitness.tasks import Task
from fitness.vault.builder import build
from fitness.vault.instance import InstanceName
from fitness.vault.vault import Vault

FILE = """\
import numpy as np
from evolve import Draw, Task, answer, array, permute

public = [array("x", "n d"), array("new", "m d")]
task = Task("bench", search=["only"], public=public, answer=answer("m"), symmetries=[{symmetries}])

@task.draw
def draw(domain, rng):
    x = rng.standard_normal(({rows}, {columns}), np.float32)
    return Draw({{"x": x, "new": x[:{new}]}}, {{"truth": x[:{new}, 0]}}, 0, 1)

@task.score
def score(answer, private):
    return float(np.mean(answer == private["truth"]))
"""
OWN = "def method(problem): return problem.new[:, 0]"
AT_ONCE = {"embedded": "def method(problem): return problem.test_x[:, 0] * 0", "own": OWN}


def milliseconds(judge: Judge, source: str, name: InstanceName, repeats: int) -> float:
    """Return the median of a trial, each under another id: its row order is drawn anew."""
    times = []
    for i in range(repeats):
        began = time.perf_counter()
        trial = judge.trial(Method(f"{i}", source, 100), name)
        times.append((time.perf_counter() - began) * 1e3)
        assert trial.status is Status.OK, trial.message
    return median(times)


def peak() -> float:
    """Return the largest memory that this process held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def own(folder: Path, **sizes: object) -> Task:
    """Write a task's file and return the task."""
    path = folder / f"{sizes['rows']}.py"
    path.write_text(FILE.format(**sizes))
    return tasks.load(tasks.admit(str(path)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=40)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        vault = Vault(Path(folder))
        small = own(Path(folder), rows=4000, columns=256, new=2000, symmetries="permute('n'), permute('m')")
        for kind, task in (("embedded", tasks.load("embedded")), ("own", small)):
            name = InstanceName(task.name, task.search_domains[0], Split.DEV, 0)
            build(vault, task, [name])
            judge = Judge(task, vault, sandbox, partial(vault.load, task), threading.Event())
            milliseconds(judge, AT_ONCE[kind], name, 3)
            print(f"{kind:9} {milliseconds(judge, AT_ONCE[kind], name, repeats):6.1f} ms a trial", flush=True)
        large = own(Path(folder), rows=100_000, columns=512, new=10, symmetries="")
        name = InstanceName(large.name, "only", Split.DEV, 0)
        build(vault, large, [name])
        judge, before = Judge(large, vault, sandbox, partial(vault.load, large), threading.Event()), peak()
        took = milliseconds(judge, OWN, name, 3)
        print(f"large     {took:6.1f} ms a trial; memory {before:.0f} MB before, {peak():.0f} MB after (arrays: 205 MB)")


if __name__ == "__main__":
    main()
