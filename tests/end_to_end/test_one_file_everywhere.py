"""One method file is judged on every task of the weak-to-strong contract without a change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evolve.cli import run
from tests.support import tiny_lm

METHOD = '''"""Learns from the weak labels, then once more from the half of the rows that it is surest of."""


def method(problem):
    first = problem.student.fit(problem.train_x, problem.weak, epochs=4)
    answers = first(problem.train_x)
    sure = answers.max(1).values.argsort(descending=True)[: len(answers) // 2]
    problem.note("sure", float(answers.max(1).values[sure].min()))
    return problem.student.fit(problem.train_x[sure], answers[sure], epochs=4)(problem.test_x)
'''


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("one") / "surest_half.py"
    path.write_text(METHOD, "utf-8")
    return path


@pytest.fixture(scope="module")
def language_models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the flags of the task lm with two tiny models and a few texts."""
    tiny_lm.needs_transformers()
    folder = tmp_path_factory.mktemp("models")
    models = {"strong": tiny_lm.save_model(folder / "strong"), "weak": tiny_lm.save_model(folder / "weak", 1, 16, 2)}
    tiny_lm.save_rows(folder / "data" / "chat", np.random.default_rng(3), (60, 120, 200))
    options = ", ".join(f'{name} = "{path}"' for name, path in models.items())
    return ["--task", "lm", "--data", str(folder / "data"), "--set", f'options={{{options}, taught = "probe", seeds = 1}}']


def judged(capsys: pytest.CaptureFixture[str], file: Path, *flags: str) -> dict[str, Any]:
    """Judge the file on one instance; return what the verb says of it."""
    assert run(["judge", str(file), *flags, "--instances", "1", "--device", "cpu", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    "flags", [["--task", "embedded"], ["--task", "truth"], ["--task", "scale", "--domain", "1m"]], ids=" ".join
)
def test_a_file_is_judged_on_the_tasks_that_need_nothing_else(
    flags: list[str], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = judged(capsys, file, *flags)
    assert (found["status"], found["flags"]) == ("OK", [])
    assert 0.5 <= found["instances"][0]["notes"]["sure"] <= 1


@pytest.mark.parametrize("fidelity", ["probe", "finetune"])
def test_the_same_file_is_judged_on_language_models_at_both_fidelities(
    fidelity: str, file: Path, language_models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    *words, options = language_models
    found = judged(capsys, file, *words, options.replace(" seeds", f' fidelity = "{fidelity}", seeds'))
    assert found["status"] == "OK"
    notes = found["instances"][0]["notes"]
    assert ("finetuned" in notes) == (fidelity == "finetune")
    assert 0.5 <= notes["sure"] <= 1
