"""Writes a task file to begin from, and says what a model is told of a task."""

from __future__ import annotations

import re
from pathlib import Path

from evolve.errors import UsageError
from evolve.runs.forecast import system_text
from evolve.runs.new import check_name
from fitness import tasks
from fitness.contracts import wording
from fitness.tasks import Task

TASK = '''\
"""{name}: the first sentence says what is asked. Run it with: python -m evolve start --task {name}.py --evals 40"""

import numpy as np

from evolve import Draw, Task, answer, apart, array, permute

N, M, D, FLIPPED = 300, 400, 10, 0.35  # examples with labels, examples to predict, features, share of wrong labels

task = Task(
    "{name}",
    search=["plain"],  # domains that a search is scored on
    held_out=["noisy"],  # domains that only its champion is judged on
    public=[  # all that a method is handed, as problem.x and so on; equal names of dimensions are equal sizes
        array("x", "n d", meaning="features of the examples that have labels"),
        array("y", "n", "int64", meaning="their labels, 0 or 1: many are wrong"),
        array("x_new", "m d", meaning="features of the examples to predict"),
    ],
    answer=answer("m", 0, 1, "probabilities of class 1"),  # float32; leave the two numbers out where any number may come
    brief="Some labels are wrong, and which is not known. Predict the true labels of new examples.",  # for models and people
    seconds=20,  # that one run of a method may take
    symmetries=[permute("n"), apart("m")],  # what no honest method cares about: probes are made of it
    scale=(0, 1),  # what score() may return
)


@task.draw
def draw(domain, rng):
    """Draw an instance. Everything random comes from rng: the same rng, the same instance.

    Draw what a method could remember anew each time, here the direction that tells the classes,
    and the features' units.
    """
    direction, units = rng.standard_normal(D), rng.permutation(np.geomspace(0.2, 5, D))
    z = rng.standard_normal((N + M, D))
    truth = (z @ direction > 0).astype(np.int64)
    x = (z * units).astype(np.float32)  # every feature is measured in units of its own
    flipped = rng.random(N) < FLIPPED + (0.05 if domain == "noisy" else 0)
    return Draw(
        public={{"x": x[:N], "y": np.where(flipped, 1 - truth[:N], truth[:N]), "x_new": x[N:]}},
        private={{"truth": truth[N:]}},  # only score() sees it
        floor=0.5,  # the value of an answer that is worth nothing: 0 of the gap is recovered
        ceiling=0.95,  # the value that could be reached: all of the gap
    )


@task.score
def score(answer, private):
    """Return what an answer is worth; more is better."""
    return float(np.mean((answer > 0.5) == private["truth"]))


task.seeds("{folder}")
'''
BASELINES = {
    "means.py": '''\
"""Project on the difference of the class means.

Functions that baselines share by name are steps: offline search exchanges them between methods.
"""

import torch

SHARPNESS = 1.0


def scaled(x, like):
    """Return the features as they are."""
    return x


def predicted(x, y, x_new):
    """Return probabilities from the side of the class means' difference."""
    direction = x[y == 1].mean(0) - x[y == 0].mean(0)
    return torch.sigmoid(SHARPNESS * (x_new @ direction))


def method(problem):
    x, x_new = scaled(problem.x, problem.x), scaled(problem.x_new, problem.x)
    return predicted(x, torch.as_tensor(problem.y), x_new)
''',
    "neighbours.py": '''\
"""Ask the nearest neighbours (Cover and Hart 1967), with every feature in units of its standard deviation."""

import torch

NEIGHBOURS = 5


def scaled(x, like):
    """Return the features in units of their standard deviations."""
    return x / like.std(0)


def predicted(x, y, x_new):
    """Return the share of the nearest neighbours that are of class 1."""
    nearest = torch.cdist(x_new, x).topk(NEIGHBOURS, largest=False).indices
    return y.float()[nearest].mean(1)


def method(problem):
    x, x_new = scaled(problem.x, problem.x), scaled(problem.x_new, problem.x)
    return predicted(x, torch.as_tensor(problem.y), x_new)
''',
}


def write(name: str, folder: Path = Path(".")) -> list[Path]:
    """Write NAME.py, a task that runs as it is, and its baselines; return the files. Raises UsageError when one is there."""
    if not re.fullmatch(r"[A-Za-z]\w*", name):
        raise UsageError(f"{name!r} cannot name a task: use letters, digits and _, and begin with a letter")
    check_name(folder / f"{name}.py")
    inner = f"{name}_baselines"
    texts = {folder / f"{name}.py": TASK.format(name=name, folder=inner)}
    texts |= {folder / inner / file: text for file, text in BASELINES.items()}
    taken = [path for path in texts if path.exists()]
    if taken:
        raise UsageError(f"{taken[0]} is there already: choose another name, or move it away")
    try:
        (folder / inner).mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            with open(path, "x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write the task into {folder}: {error.strerror or error}") from error
    return list(texts)


def described(task: Task) -> dict[str, object]:
    """Return what a model is told of a task, and what it is judged by."""
    contract = task.contract
    return {
        "task": task.name,
        "version": task.version,
        "brief": task.brief.strip(),
        "contract": wording.text(contract),
        "facts": dict(task.facts),
        "told": system_text(task, task.search_domains),
        "search_domains": list(task.search_domains),
        "held_out_domains": list(task.held_out_domains),
        "seconds": task.limits.seconds,
        "memory": task.limits.memory,
        "value": contract.words.value,
        "floor": contract.words.floor,
        "ceiling": contract.words.ceiling,
        "probes": list(contract.probes),
        "measures": [measure.name for measure in task.measures],
        "baselines": ", ".join(map(str, task.seeds)),
    }


def listed() -> list[dict[str, str]]:
    """Return the tasks of the table, with one line each."""
    rows = [{"task": name, "about": _first(tasks.load(name).brief)} for name in tasks.TASKS]
    return rows + [{"task": name, "about": f"{about} (--data DIR)"} for name, about in tasks.ABOUT_DATA.items()]


def _first(brief: str) -> str:
    return re.split(r"(?<!al)[.:] ", " ".join(brief.split()))[0]
