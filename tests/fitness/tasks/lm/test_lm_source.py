"""Instances of texts: which labels go where, a teacher out of cache_results, and the ceiling at either fidelity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitness.contracts import checking
from fitness.registry import UsageError
from fitness.sandbox.inside.recipe import DEVIATIONS
from fitness.tasks.lm import cost
from fitness.tasks.lm.task import check, from_folder
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw
from tests.support import tiny_lm

tiny_lm.needs_transformers()

from fitness.tasks.lm.source import LmSource  # noqa: E402  # it needs transformers

SIZES = (60, 200, 200)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_lm.save_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_lm.save_rows(tmp_path / "data" / "chat", np.random.default_rng(0), SIZES)
    return tmp_path / "data"


def options(model: Path, **more: Any) -> dict[str, Any]:
    return {"weak": str(model), "strong": str(model), "taught": "probe", "seeds": 3, **more}


def draw(folder: Path, model: Path, key: int = 0, **more: Any) -> Draw:
    task = from_folder(folder, options(model, **more))
    drawn = LmSource(task.options).draw("chat", Secret(bytes([key]) * 32))
    checking.flat(task.contract, drawn.public, drawn.private)  # what is drawn is as declared
    return drawn


def without_labels(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("\n".join(json.dumps({**row, "label": None}) for row in rows))


def put_results(folder: Path, rows: int, **numbers: float) -> None:
    for seed in (42, 43):
        path = folder / "cache_results" / "chat_weak_artifacts" / "key" / f"seed_{seed}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        soft = np.random.default_rng(seed).uniform(0.1, 0.9, rows)
        path.write_text(json.dumps({"soft_labels": soft.tolist(), **numbers}))


def test_an_instance_repeats_by_its_secret_and_others_differ(folder: Path, model: Path) -> None:
    first, again, other = draw(folder, model), draw(folder, model), draw(folder, model, 1)
    for name, array in first.public.items():
        assert array.tobytes() == again.public[name].tobytes()
        assert array.tobytes() != other.public[name].tobytes()
    assert set(first.public) == {"train_x", "weak", "test_x"}
    assert first.public["train_x"].shape == (160, 64)
    assert 0.3 < first.floor < first.ceiling < 1


def test_instances_have_different_teachers(folder: Path, model: Path) -> None:
    task = from_folder(folder, options(model))
    source = LmSource(task.options)
    floors = {round(source.draw("chat", Secret(bytes([key]) * 32)).floor, 6) for key in range(6)}
    assert len(floors) > 2


def test_labels_are_private_and_of_test_rows_alone(folder: Path, model: Path) -> None:
    drawn = draw(folder, model)
    assert set(drawn.private) == {"test_y", "teacher"}
    assert len(drawn.private["test_y"]) == len(drawn.public["test_x"])
    task = from_folder(folder, options(model))
    assert "entity" not in json.dumps(task.options) + task.brief + json.dumps(dict(task.facts))


def test_without_labels_of_train_half_of_the_test_rows_are_held_back(folder: Path, model: Path) -> None:
    without_labels(folder / "chat" / "train_unlabel.jsonl")
    drawn = draw(folder, model)
    assert len(drawn.public["test_x"]) == 80
    with pytest.raises(UsageError, match="train_unlabel has no labels to fine-tune the ceiling on: set ceiling"):
        draw(folder, model, fidelity="finetune")


def test_a_teacher_out_of_results_needs_no_weak_model_and_no_labels(folder: Path, model: Path) -> None:
    (folder / "chat" / "train_label.jsonl").unlink()
    with pytest.raises(UsageError, match=r"has no train_label\.jsonl"):
        draw(folder, model)
    put_results(folder, SIZES[1], weak_acc=0.55)
    drawn = draw(folder, model)
    assert drawn.floor == 0.55
    known = {round(float(value), 6) for seed in (42, 43) for value in np.random.default_rng(seed).uniform(0.1, 0.9, SIZES[1])}
    assert {round(float(value), 6) for value in drawn.public["weak"][:, 1]} <= known
    absent = {**from_folder(folder, options(model)).options, "weak": "Qwen/Qwen1.5-0.5B-Chat"}
    assert all(passed for _, _, passed in check(folder, absent))
    put_results(folder, SIZES[1] + 1)
    with pytest.raises(UsageError, match="201 soft labels, and train_unlabel of chat has 200 rows"):
        draw(folder, model)


def test_deviations_from_the_recipe_are_noted_where_something_is_fine_tuned(folder: Path, model: Path) -> None:
    assert not from_folder(folder, options(model)).notes
    for chosen in ({"taught": "finetune"}, {"fidelity": "finetune"}):
        assert from_folder(folder, options(model, **chosen)).notes == DEVIATIONS


def test_other_files_options_or_models_are_another_task(folder: Path, model: Path, tmp_path: Path) -> None:
    before = from_folder(folder, options(model))
    assert from_folder(folder, options(model, seeds=4)).version != before.version
    assert from_folder(folder, options(tiny_lm.save_model(tmp_path / "other", seed=5))).version != before.version
    put_results(folder, SIZES[1])
    assert from_folder(folder, options(model)).name != before.name
    next((folder / "cache_results").rglob("seed_42.json")).write_text("{")
    with pytest.raises(UsageError, match=r"cache_results/.* is half-written"):
        from_folder(folder, options(model))


def test_a_file_that_changed_since_is_named(folder: Path, model: Path) -> None:
    task = from_folder(folder, options(model))
    (folder / "chat" / "test.jsonl").write_text((folder / "chat" / "test.jsonl").read_text() + "\n")
    with pytest.raises(UsageError, match=r"chat/test\.jsonl in .* has changed since"):
        LmSource(task.options).draw("chat", Secret(bytes(32)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"taught": "guess"}, "taught is 'guess': say one of finetune, probe"),
        ({"seeds": 0}, "seeds is 0: it is a whole number from 1 to 100"),
        ({"depth": 1.5}, "depth is 1.5: it is a share of the layers"),
        ({"strong": ""}, "strong is '': it is a model's name"),
        ({"tokens": True}, "tokens is True"),
        ({"stronk": "x"}, "the task has no option 'stronk'"),
    ],
)
def test_options_that_nobody_could_mean_are_refused(folder: Path, model: Path, wrong: Mapping[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        from_folder(folder, {**options(model), **wrong})


def test_a_ceiling_out_of_results_is_not_trained_again(folder: Path, model: Path) -> None:
    put_results(folder, SIZES[1], weak_acc=0.55)
    for seed, accuracy in ((42, 0.8), (43, 0.9)):
        path = folder / "cache_results" / "chat_train_ceiling" / "key" / f"seed_{seed}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"strong_gt_acc": accuracy}))
    drawn = draw(folder, model, fidelity="finetune")
    assert (drawn.floor, drawn.ceiling) == (0.55, pytest.approx(0.85))
    given = dict(from_folder(folder, options(model, fidelity="finetune")).options)
    assert cost.forecast(given, "", 0, None).ceilings == 0


def test_results_that_lack_an_anchor_are_said_and_refuse_nothing(folder: Path, model: Path) -> None:
    put_results(folder, SIZES[1], transfer_acc=0.6)
    found = {name: (sentence, passed) for name, sentence, passed in check(folder, from_folder(folder, options(model)).options)}
    assert found["results"][1]
    assert "has no weak_acc" in found["results"][0]


@pytest.mark.thorough
def test_at_the_fidelity_of_fine_tunes_tokens_are_shown_and_the_ceiling_is_a_fine_tune(folder: Path, model: Path) -> None:
    probe, tuned = draw(folder, model), draw(folder, model, fidelity="finetune")
    assert set(tuned.public) == {*probe.public, "train_tokens", "test_tokens", "answer_tokens"}
    assert tuned.public["train_x"].tobytes() == probe.public["train_x"].tobytes()
    assert tuned.floor == probe.floor
    assert tuned.ceiling != probe.ceiling
