"""Fine-tuning behind the walls: the zygote loads the model, children train adapters, and none can open the model's files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fitness.contracts.contract import Problem
from fitness.nouns import Status
from fitness.sandbox.doctor import diagnose
from fitness.sandbox.sandbox import Sandbox
from fitness.tasks import Task
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw
from tests.support import tiny_lm

tiny_lm.needs_transformers()
pytestmark = pytest.mark.thorough

LEVELS = [level for level in ("A", "B") if diagnose().level <= level]


class Scene:
    """The task at the fidelity of fine-tunes, on a model whose files are links, as in Hugging Face's cache."""

    task: Task
    drawn: Draw

    def __init__(self, folder: Path) -> None:
        from fitness.tasks.lm.source import LmSource
        from fitness.tasks.lm.task import from_folder

        blobs, links = tiny_lm.save_model(folder / "blobs"), folder / "snapshot"
        links.mkdir()
        for path in blobs.iterdir():
            (links / path.name).symlink_to(Path("..") / "blobs" / path.name)
        tiny_lm.save_rows(folder / "data" / "chat", np.random.default_rng(0), (60, 120, 120))
        chosen = {"weak": str(links), "strong": str(links), "taught": "probe", "seeds": 1, "fidelity": "finetune"}
        self.task = from_folder(folder / "data", {**chosen, "ceiling": 0.95})
        self.drawn = LmSource(self.task.options).draw("chat", Secret(bytes(32)))

    def problem(self) -> Problem:
        return Problem(self.task.contract, dict(self.drawn.public), 3)


@pytest.fixture(scope="module")  # the scene is made by the first test: a fixture of the module would use the user's own vault
def kept(tmp_path_factory: pytest.TempPathFactory) -> list[Scene | Path]:
    return [tmp_path_factory.mktemp("scene")]


@pytest.fixture
def scene(kept: list[Scene | Path]) -> Scene:
    if isinstance(kept[0], Path):
        kept[0] = Scene(kept[0])
    assert isinstance(kept[0], Scene)
    return kept[0]


@pytest.fixture(params=LEVELS)
def sandbox(request: pytest.FixtureRequest, scene: Scene) -> Iterator[Sandbox]:
    with Sandbox(level=request.param, model=scene.task.model) as running:
        yield running


STEALING = """
import os
def method(problem):
    problem.student.fit(problem.train_x[:4], problem.weak[:4])
    for folder in {folders!r}:
        try:
            names = os.listdir(folder)
        except OSError:
            names = ["config.json"]
        for name in names:
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    return problem.test_x[:, 0] * 0 + 2  # out of range: it could be opened
            except OSError:
                pass
    return problem.test_x[:, 0] * 0 + 0.25
"""


def test_children_train_adapters_of_their_own_and_cannot_open_the_models_files(
    scene: Scene, sandbox: Sandbox, root: Path
) -> None:
    vanilla = (root / "seeds" / "vanilla.py").read_text()
    first, again = (sandbox.run(vanilla, scene.problem(), scene.task.limits) for _ in range(2))
    assert (first.status, first.message) == (Status.OK, "")
    assert first.notes == {"finetuned": 1}
    assert first.predictions is not None
    assert again.predictions is not None
    assert np.array_equal(first.predictions, again.predictions)
    folders = [scene.task.model, str(Path(scene.task.model).parent / "blobs")]
    stolen = sandbox.run(STEALING.format(folders=folders), scene.problem(), scene.task.limits)
    assert (stolen.status, stolen.message) == (Status.OK, "")
    assert stolen.predictions is not None
    assert (stolen.predictions[:, 1] == 0.25).all()


def test_changed_rows_train_the_head(scene: Scene, sandbox: Sandbox) -> None:
    source = "def method(p):\n    return p.student.fit(p.train_x * 2, p.weak)(p.test_x * 2)"
    found = sandbox.run(source, scene.problem(), scene.task.limits)
    assert (found.status, found.notes) == (Status.OK, {"heads": 1})


def test_without_a_model_the_same_problem_has_the_usual_student(scene: Scene) -> None:
    with Sandbox() as sandbox:
        found = sandbox.run(
            "def method(p):\n    return p.student.fit(p.train_x, p.weak)(p.test_x)", scene.problem(), scene.task.limits
        )
    assert (found.status, found.notes) == (Status.OK, {})
