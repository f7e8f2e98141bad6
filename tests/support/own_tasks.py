"""Small tasks of a user's own: the files that she writes, outside the checkout."""

from __future__ import annotations

from pathlib import Path

DIGITS = '''\
"""Ten classes: handwritten digits, some rows labelled."""

import numpy as np
from sklearn.datasets import load_digits

from evolve import Draw, Task, answer, apart, array, needs, permute

task = Task(
    "digits10", search=["plain"], held_out=["inverted"],
    public=[array("x", "n d"), array("y", "n", "int64", "labels", values="10"), array("new", "m d")],
    answer=answer("m 10", 0, 1, "scores of the ten classes", choice=True),
    brief="Say which digit each row of new is.", seconds=10, student="10", scale=(0, 1), least_instances=3,
    symmetries=[apart("m"), permute("n"), needs("y")],
)


@task.draw
def draw(domain, rng):
    x, y = load_digits(return_X_y=True)
    rows = rng.permutation(len(y))[:600]
    x, y = x[rows].astype(np.float32) / 16, y[rows]
    x = 1 - x if domain == "inverted" else x
    return Draw({"x": x[:300], "y": y[:300], "new": x[300:]}, {"truth": y[300:]}, floor=0.1, ceiling=0.95)


@task.score
def score(answer, private):
    hit = answer.argmax(1) == private["truth"]
    return hit.mean(), hit.std() / len(hit) ** 0.5


task.seeds("seeds")
'''
DIGIT_SEEDS = {
    "nearest.py": '''\
"""Nearest mean."""

import torch

SHARPNESS = 2.0


def method(problem):
    means = torch.stack([problem.x[problem.y == c].mean(0) for c in range(10)])
    return torch.softmax(-SHARPNESS * torch.cdist(problem.new, means), 1)
''',
    "student.py": '''\
"""The default student."""

EPOCHS = 8


def method(problem):
    return problem.student.fit(problem.x, problem.y, epochs=EPOCHS)(problem.new)
''',
}
CURVE = '''\
"""A regression: values of a smooth curve at new points."""

import numpy as np

from evolve import Draw, Task, Words, answer, apart, array, permute, turn

task = Task(
    "curve", search=["smooth"], held_out=["rough"],
    public=[array("x", "n d"), array("y", "n"), array("at", "m d"), array("noise", "", meaning="its standard deviation")],
    answer=answer("m", meaning="values"), brief="Predict the curve at the new points.", seconds=10, least_instances=3,
    symmetries=[apart("m"), permute("n"), turn("x")],
    words=Words("minus the square error", "the mean of the curve", "the curve itself"),
)


@task.draw
def draw(domain, rng):
    w = rng.standard_normal((6, 3)) * (2.0 if domain == "rough" else 0.5)
    x = rng.standard_normal((400, 6)).astype(np.float32)
    f = np.sin(x @ w).sum(1)
    y = (f + 0.3 * rng.standard_normal(400)).astype(np.float32)
    floor = -float(np.var(f[200:]))
    return Draw({"x": x[:200], "y": y[:200], "at": x[200:], "noise": np.float32(0.3)}, {"f": f[200:]}, floor=floor, ceiling=0.0)


@task.score
def score(answer, private):
    return -np.mean((answer - private["f"]) ** 2)


task.seeds("seeds")
'''
CURVE_SEEDS = {
    "ridge.py": '''\
"""Ridge regression."""

import torch

PENALTY = 1.0


def method(problem):
    x, y = problem.x, problem.y
    w = torch.linalg.solve(x.T @ x + PENALTY * torch.eye(x.shape[1]), x.T @ (y - y.mean()))
    return problem.at @ w + y.mean()
''',
    "kernel.py": '''\
"""Kernel ridge regression."""

import torch

WIDTH = 3.0
PENALTY = 0.3


def near(a, b):
    return torch.exp(-(torch.cdist(a, b) ** 2) / WIDTH**2)


def method(problem):
    weights = torch.linalg.solve(near(problem.x, problem.x) + PENALTY * torch.eye(len(problem.x)), problem.y)
    return near(problem.at, problem.x) @ weights
''',
}


def written(folder: Path, file: str, seeds: dict[str, str]) -> Path:
    """Write a task and its seeds as their user would, and return the task's path."""
    (folder / "seeds").mkdir(parents=True)
    for name, source in seeds.items():
        (folder / "seeds" / name).write_text(source)
    path = folder / "question.py"
    path.write_text(file)
    return path
