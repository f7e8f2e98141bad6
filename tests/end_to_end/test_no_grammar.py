"""A task of one's own without a grammar, whose three baselines each have one good step: a search offline puts them together."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive
from evolve.cli import run

FILE = '''\
"""Signal in six columns of forty; gains hide it, an offset moves it, and the teacher hears little of it."""

import numpy as np
from dataclasses import replace
from math import erf

from fitness.contracts.probabilities import PROBABILITIES
from fitness.nouns import Limits
from fitness.tasks import Task
from fitness.tasks.source import Draw

ROWS, COLUMNS, SIGNAL = 500, 40, 6


class Source:
    def __init__(self, options):
        pass

    def draw(self, domain, secret):
        rng = secret.rng("data")
        y = rng.permutation(np.arange(2 * ROWS) % 2)
        x = rng.normal(size=(2 * ROWS, COLUMNS)) + 0.5
        x[:, :SIGNAL] += 0.8 * (2 * y[:, None] - 1)
        p = 1 / (1 + np.exp(-(2 * y - 1 + 3 * rng.normal(size=2 * ROWS))))
        gains = [rng.permutation(np.linspace(-2, 2, n)) for n in (SIGNAL, COLUMNS - SIGNAL)]
        x = (x * np.exp(np.concatenate(gains))).astype(np.float32)
        weak = np.stack([1 - p, p], 1).astype(np.float32)
        teacher = float(np.mean((p[ROWS:] > 0.5) == y[ROWS:]))
        ceiling = 0.5 * (1 + erf(0.8 * SIGNAL**0.5 / 2**0.5))
        public = {"train_x": x[:ROWS], "weak": weak[:ROWS], "test_x": x[ROWS:]}
        return Draw(public, {"test_y": y[ROWS:].astype(np.uint8), "teacher": weak[ROWS:]}, teacher, ceiling)


TASK = Task(
    name="columns",
    brief="Find the columns that carry the signal.",
    search_domains=("only",),
    limits=Limits(seconds=10.0),
    least_instances=3,
    seeds="baselines",
    contract=replace(PROBABILITIES, probes=tuple(p for p in PROBABILITIES.probes if p != "frame")),
)
'''
METHOD = """

def method(problem):
    train, test = features(problem.train_x, problem.test_x)
    direction = fit(train, problem.weak)
    cut = threshold(train @ direction)
    return torch.sigmoid(SHARPNESS * (test @ direction - cut))
"""
RAW = "def features(train, test):\n    return train, test\n"
SCALED = '''def features(train, test):
    """Give every column the same spread."""
    scale = train.std(0) + LEAST
    return train / scale, test / scale
'''
MEANS = "def fit(x, weak):\n    side = weak[:, 1] > weak[:, 1].median()\n    return x[side].mean(0) - x[~side].mean(0)\n"
AGAIN = '''def between(x, side):
    return x[side].mean(0) - x[~side].mean(0)


def fit(x, weak):
    """Learn again from the surest of what was learnt (Scudder 1965)."""
    direction = between(x, weak[:, 1] > weak[:, 1].median())
    for _ in range(TURNS):
        scores = x @ direction
        order, few = scores.argsort(), int(SHARE * len(scores))
        kept = torch.cat([order[:few], order[-few:]])
        direction = between(x[kept], torch.arange(2 * few) >= few)
    return direction
'''
ZERO = "def threshold(scores):\n    return 0.0 * scores.mean()\n"
MEDIAN = 'def threshold(scores):\n    """Split where half of the rows lie on each side."""\n    return scores.median()\n'
BASELINES = {
    "scaled": ("LEAST = 0.05", SCALED, MEANS, ZERO),
    "again": ("TURNS = 6\nSHARE = 0.3", RAW, AGAIN, ZERO),
    "median": ("", RAW, MEANS, MEDIAN),
}
SMALL = ["dev_instances=4", "fresh_instances=6", "held_out_instances=0", "finalists=1", "islands=2"]


GOOD = ("Give every column", "Learn again", "Split where")  # what the good step of each baseline says it does


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("columns")
    (folder / "task.py").write_text(FILE)
    (folder / "baselines").mkdir()
    for name, (constants, *steps) in BASELINES.items():
        head = f'"""The baseline {name}."""\n\nimport torch\n\nSHARPNESS = 1.5\n{constants}\n'
        (folder / "baselines" / f"{name}.py").write_text("\n\n".join([head, *steps]) + METHOD)
    return folder / "task.py"


@pytest.fixture(scope="module")
def searches(task: Path) -> dict[str, Path]:
    """Search twice with 60 evaluations and the same seed: by breeding, and with children of the baselines alone."""
    found = {}
    for strategy in ("map-elites", "iid"):
        found[strategy] = db = task.parent / f"{strategy}.db"
        words = ["start", "--task", str(task), "--strategy", strategy, "--evals", "60", "--workers", "1", "--device", "cpu"]
        assert run([*words, *(w for s in SMALL for w in ("--set", s)), "--seed", "1", "--db", str(db)]) == 0
    return found


def best(db: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the champion of a run, as `top --json` prints it."""
    capsys.readouterr()
    assert run(["top", "--db", str(db), "--json"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows[0]


def test_an_offline_search_without_a_grammar_climbs_above_its_best_baseline(
    searches: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    db = searches["map-elites"]
    champion, archive = best(db, capsys), Archive.open(db)
    assert archive.run().verdict.startswith("shown: "), "the lower bound on fresh instances is above 0"
    assert (champion["origin"], archive.judged()) == ("search", 60)
    (source,) = (row["source"] for row in archive.rows("select source from methods where id = ?", [champion["method"]]))
    assert all(part in source for part in GOOD), "the champion has the good step of each"


def test_it_climbs_above_a_control_that_does_not_breed(searches: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    bred, control = (best(searches[strategy], capsys) for strategy in ("map-elites", "iid"))
    assert bred["fresh_pgr"] > control["fresh_pgr"] + 0.03


def test_it_breeds_by_what_needs_no_grammar_and_replays(task: Path, searches: dict[str, Path]) -> None:
    with contextlib.closing(Archive.open(searches["map-elites"])) as archive:
        used = {row["operator"] for row in archive.rows("select distinct operator from proposals")}
    assert used == {"graft", "perturb", "tune", "remove", "simplify"}
    assert run(["replay", "--db", str(searches["map-elites"]), "--task", str(task)]) == 0


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        (
            ["scaled", "again"],
            "the task has no grammar: graft exchanges the functions that methods share, features, fit, threshold",
        ),
        (
            ["scaled"],
            "the methods share no function of one name and parameters that graft could exchange; .* made by perturb, tune,",
        ),
        (
            [],
            "no operator without a model finds anything to change in the methods that this task begins with: docs/extending.md",
        ),
    ],
)
def test_start_says_what_there_is_to_breed_by(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], methods: list[str], said: str
) -> None:
    own = tmp_path / "task.py"
    own.write_text(task.read_text())
    (tmp_path / "baselines").mkdir()
    for name in methods:
        (tmp_path / "baselines" / f"{name}.py").write_text((task.parent / "baselines" / f"{name}.py").read_text())
    if not methods:
        (tmp_path / "baselines" / "teacher.py").write_text("def method(problem):\n    return problem.test_x[:, 0].sigmoid()\n")
    words = ["start", "--task", str(own), "--evals", "1", "--workers", "1", "--device", "cpu", "--db", str(tmp_path / "run.db")]
    run([*words, *(w for s in SMALL for w in ("--set", s))])
    assert re.search(said, capsys.readouterr().out)
