"""The leak alarm: every kind of planted leak is found by its name, and the clean twin passes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evolve import Draw, Task, answer, array
from fitness.checks.leaks import leaks, remembered
from fitness.checks.nulls import nulls
from fitness.checks.sample import Sample
from fitness.contracts.contract import Order
from fitness.nouns import Split, TaskFault
from fitness.vault.instance import Instance, InstanceName
from fitness.vault.storage import Layout

N, D = 400, 12
PUBLIC = [array("x", "n d"), array("y", "n", "int64"), array("x_new", "m d")]
Plant = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def clean(x: np.ndarray, x_new: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return x, x_new, truth


def label_column(x: np.ndarray, x_new: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return x, np.c_[x_new[:, :3], 2.0 * truth - 1, x_new[:, 4:]], truth


def sorted_rows(x: np.ndarray, x_new: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    order = np.argsort(truth, kind="stable")
    return x, x_new[order], truth[order]


def copied_rows(x: np.ndarray, x_new: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.r_[x[:-40], x_new[:40]], x_new, truth


def sorting_id(x: np.ndarray, x_new: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    number = 1000 * truth + np.random.default_rng(5).permutation(len(truth))
    return x, np.c_[x_new[:, :-1], number], truth


def telling_norm(x: np.ndarray, x_new: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    length = np.linalg.norm(x_new, axis=1, keepdims=True)
    return x, x_new / length * (1 + 2 * truth[:, None]), truth


PLANTS: dict[str, Plant] = {
    "label column": label_column,
    "row order": sorted_rows,
    "duplicated rows": copied_rows,
    "id": sorting_id,
    "norm": telling_norm,
}


def task(classes: int = 2) -> Task:
    """A task whose rows stand as they are drawn: nothing is declared of their order."""
    found = Task("twin", search=["a"], public=PUBLIC, answer=answer("m"), scale=(0, 1))
    found.draw(lambda domain, rng: Draw({}, {}, 0, 1))
    found.score(lambda given, private: float(np.mean(np.round(given) == private["truth"])))
    return found


def sample(plant: Plant, seed: int = 0, classes: int = 2, direction: np.ndarray | None = None) -> Sample:
    rng = np.random.default_rng(seed)
    direction = rng.standard_normal((D, classes)) if direction is None else direction
    x, x_new = rng.standard_normal((2, N, D))
    known, truth = (np.argmax(rows @ direction, 1) for rows in (x, x_new))
    x, x_new, truth = plant(x, x_new, truth)
    own = task().finished()
    public = {"x": x.astype(np.float32), "y": known, "x_new": x_new.astype(np.float32)}
    name = InstanceName(own.name, "a", Split.DEV, seed)
    instance = Instance(name, own.contract, own.scoring, 1 / classes, 0.97, {"truth": truth}, Path(), Layout({}, {}))
    return Sample(own, instance, public)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("kind", PLANTS)
def test_a_planted_leak_is_found_by_its_name_and_no_other_is_seen(kind: str, classes: int) -> None:
    found = leaks(sample(PLANTS[kind], classes=classes))
    assert [leak.kind for leak in found] == [kind]
    assert kind.split()[-1] in found[0].sentence


@pytest.mark.parametrize("classes", [2, 5])
def test_the_clean_twin_passes(classes: int) -> None:
    for seed in range(5):
        assert leaks(sample(clean, seed, classes), best=0.5) == []


def test_a_column_is_named_by_its_place() -> None:
    (leak,) = leaks(sample(label_column))
    assert "column 3 of x_new" in leak.sentence
    (leak,) = leaks(sample(sorting_id))
    assert f"column {D - 1} of x_new" in leak.sentence


def test_a_good_feature_is_no_leak() -> None:
    def strong(x: np.ndarray, x_new: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return x, np.c_[x_new[:, :-1], truth + 0.4 * np.random.default_rng(3).standard_normal(len(truth))], truth

    assert leaks(sample(strong), best=0.5) == []


@pytest.mark.thorough
def test_what_is_fitted_on_one_instance_and_answers_another_is_found() -> None:
    same = np.random.default_rng(9).standard_normal((D, 2))
    shared = [sample(clean, seed, direction=same) for seed in range(3)]
    assert "ridge" in [leak.kind for leak in remembered(shared, best=0.6)]
    assert remembered([sample(clean, seed) for seed in range(3)], best=0.6) == []


def test_rows_that_each_trial_puts_into_a_new_order_have_none() -> None:
    found = sample(sorted_rows)
    shuffled = replace(found.task, contract=replace(found.task.contract, orders=(Order("m", "m"),)))
    assert leaks(replace(found, task=shuffled)) == []


def test_a_public_array_that_is_the_answer_is_a_null_answer_that_recovers_all() -> None:
    given = sample(clean)
    public = {**given.public, "y": given.instance.private["truth"]}
    worth = dict(nulls(Sample(given.task, given.instance, public)))
    assert worth["the array y given back"] > 1
    assert worth["the array y given back, its rows permuted"] < 0.3
    assert max(dict(nulls(given)).values()) < 0.3


def test_a_score_that_fails_is_the_tasks_fault() -> None:
    broken = task()
    broken.score(lambda given, private: float("nan"))
    own, given = broken.finished(), sample(clean)
    with pytest.raises(TaskFault, match="score"):
        dict(nulls(replace(given, task=own, instance=replace(given.instance, scoring=own.scoring))))


def test_a_regression_task_is_looked_at_too() -> None:
    own = Task("numbers", search=["a"], public=[array("x", "n d")], answer=answer("n"))
    own.draw(lambda domain, rng: Draw({}, {}, 0, 1))
    own.score(lambda given, private: -float(np.mean((given - private["truth"]) ** 2)))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N, D))
    truth = x @ rng.standard_normal(D)

    def kinds(public: np.ndarray) -> list[str]:
        found = own.finished()
        floor = -float(np.var(truth))
        instance = Instance(
            InstanceName("numbers", "a", Split.DEV, 0), found.contract, found.scoring, floor, 0.0, {"truth": truth}, Path(),
            Layout({}, {}),
        )  # fmt: skip
        return [leak.kind for leak in leaks(Sample(found, instance, {"x": public.astype(np.float32)}))]

    assert kinds(x) == []
    assert kinds(np.c_[x[:, 1:], truth]) == ["id"]


def test_truth_as_one_column_a_class_is_looked_at_too() -> None:
    own = Task("twin", search=["a"], public=PUBLIC, answer=answer("m 3", 0, 1, choice=True))
    own.draw(lambda domain, rng: Draw({}, {}, 0, 1))
    own.score(lambda given, private: float(np.mean(given.argmax(1) == private["truth"].argmax(1))))
    found = sample(label_column, classes=3)
    truth, task_ = np.eye(3)[found.instance.private["truth"]], own.finished()
    instance = replace(found.instance, contract=task_.contract, scoring=task_.scoring, private={"truth": truth})
    assert [leak.kind for leak in leaks(replace(found, task=task_, instance=instance))] == ["label column"]


@pytest.mark.thorough
def test_a_large_instance_is_looked_at_in_seconds() -> None:
    rng = np.random.default_rng(0)
    big = rng.standard_normal((100_000, 512), np.float32)
    truth = rng.integers(2, size=100_000)
    given = sample(clean)
    public = {"x": big[:10], "y": truth[:10], "x_new": big}
    began = time.monotonic()
    assert leaks(Sample(given.task, replace(given.instance, private={"truth": truth}), public)) == []
    assert time.monotonic() - began < 60
