"""cache_results: PGR worked out again from a folder of its shape, a teacher's labels, and what is half-written or misshapen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from fitness.registry import UsageError
from fitness.tasks.lm.results import compared, read, read_file, teachers

KEY = "Qwen_Qwen3_4B_Base_e5_lr0.0001_bs32_schlinear"
WEAK, STRONG, PGRS = 0.534, 0.736, {"chat_vanilla_w2s": 0.204, "chat_train_only_on_confident_labels": 0.234}
SECONDS = {"chat_vanilla_w2s": 6353.0, "chat_train_only_on_confident_labels": 5572.0}
SPREAD = (-0.02, -0.01, 0.0, 0.01, 0.02)  # of accuracies over five seeds


def put(folder: Path, idea: str, seed: int, found: Mapping[str, object]) -> Path:
    path = folder / "cache_results" / idea / KEY / f"seed_{seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))
    return path


def folder_of(tmp_path: Path) -> Path:
    """Write a folder of the shape of AAR's, with the numbers that were read of it."""
    soft = np.random.default_rng(0).uniform(size=60)
    for seed, change in enumerate(SPREAD, 42):
        teacher = {"weak_acc": WEAK + change, "soft_labels": np.stack([1 - soft, soft], 1).tolist(), "training_time": 463}
        put(tmp_path, "chat_weak_artifacts", seed, teacher)
        put(tmp_path, "chat_train_ceiling", seed, {"strong_gt_acc": STRONG - change, "training_time": 6282})
        for idea, pgr in PGRS.items():
            own = {"weak_acc": WEAK + change, "strong_acc": STRONG - change, "pgr": pgr, "training_time": SECONDS[idea]}
            put(tmp_path, idea, seed, {**own, "transfer_acc": WEAK + pgr * (STRONG - WEAK) + change / 2})
        (tmp_path / "cache_results" / "chat_vanilla_w2s" / KEY / "eval.json").write_text("{}")
    return tmp_path


def test_pgr_is_worked_out_again_between_the_anchors_means(tmp_path: Path) -> None:
    found = {one.idea: one for one in compared(read(folder_of(tmp_path)))}
    assert found.keys() == PGRS.keys()
    for idea, pgr in PGRS.items():
        assert found[idea].pgr == pytest.approx(pgr, abs=1e-9)
        assert (found[idea].weak, found[idea].strong) == (pytest.approx(WEAK), pytest.approx(STRONG))
        assert (found[idea].seeds, found[idea].seconds, found[idea].note) == (5, SECONDS[idea], "")


def test_the_seeds_own_anchors_would_give_another_number(tmp_path: Path) -> None:
    """Accuracies of one seed move together: the ratio of means is not the mean of ratios, and AAR takes the first."""
    found = read(folder_of(tmp_path))
    of_seeds = [
        (one.numbers["transfer_acc"] - one.numbers["weak_acc"]) / (one.numbers["strong_acc"] - one.numbers["weak_acc"])
        for one in found
        if one.idea == "chat_vanilla_w2s"
    ]
    assert np.mean(of_seeds) != pytest.approx(PGRS["chat_vanilla_w2s"], abs=1e-4)


def test_without_anchors_beside_it_an_idea_brings_its_own(tmp_path: Path) -> None:
    own = {"weak_acc": 0.5, "strong_acc": 0.7, "transfer_acc": 0.6, "pgr": 0.4}
    put(tmp_path, "math_vanilla_w2s", 1, own)
    (found,) = compared(read(tmp_path))
    assert found.pgr == pytest.approx(0.5)
    assert found.note == "the files say 0.400 in the mean"


def test_another_domains_anchors_are_not_taken(tmp_path: Path) -> None:
    put(tmp_path, "chat_train_ceiling", 1, {"strong_gt_acc": 0.9})
    put(tmp_path, "math_vanilla_w2s", 1, {"weak_acc": 0.5, "strong_acc": 0.7, "transfer_acc": 0.6})
    (found,) = compared(read(tmp_path))
    assert found.strong == pytest.approx(0.7)


def test_a_teachers_labels_are_one_set_a_seed_and_of_as_many_rows(tmp_path: Path) -> None:
    found = teachers(read(folder_of(tmp_path)), "chat", 60)
    assert [one.seed for one in found] == [42, 43, 44, 45, 46]
    assert all(one.soft_labels is not None and one.soft_labels.shape == (60, 2) for one in found)
    assert not teachers(read(tmp_path), "math", 60)
    with pytest.raises(UsageError, match="60 soft labels, and train_unlabel of chat has 61 rows"):
        teachers(read(tmp_path), "chat", 61)


def test_soft_labels_may_be_one_number_a_row(tmp_path: Path) -> None:
    found = read_file(put(tmp_path, "chat_weak_artifacts", 1, {"soft_labels": [0.25, 1]}))
    assert found.soft_labels is not None
    assert found.soft_labels.tolist() == [[0.75, 0.25], [0, 1]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"weak_acc": 0.5, "soft_la', "half-written or no JSON"),
        ("", "half-written or no JSON"),
        ("[]", "holds list"),
        ("{}", "is no result: it has none of weak_acc"),
        ('{"weak_acc": "N/A"}', "weak_acc of .* is 'N/A': it is a finite number"),
        ('{"weak_acc": NaN}', "weak_acc of .* is 'nan': it is a finite number"),
        ('{"strong_acc": 73.6}', "strong_acc of .* is 73.6: an accuracy lies from 0 to 1"),
        ('{"soft_labels": [[0.5, 0.6]]}', "soft_labels of .* are no probabilities"),
        ('{"soft_labels": [[0.5, 0.5], [1]]}', "soft_labels of .* are no probabilities"),
        ('{"soft_labels": [2, 3]}', "soft_labels of .* are no probabilities"),
        ('{"soft_labels": "many"}', "soft_labels of .* are no probabilities"),
    ],
)
def test_a_half_written_or_misshapen_file_is_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = put(tmp_path, "chat_vanilla_w2s", 7, {})
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_file(path)


def test_a_ceiling_below_its_teacher_and_a_missing_anchor_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "chat_vanilla_w2s", 1, {"weak_acc": 0.7, "strong_acc": 0.6, "transfer_acc": 0.65})
    with pytest.raises(UsageError, match=r"the ceiling 0\.600 is not above the teacher 0\.700"):
        compared(read(tmp_path))
    put(tmp_path, "chat_vanilla_w2s", 1, {"weak_acc": 0.7, "transfer_acc": 0.65})
    with pytest.raises(UsageError, match="has no strong_gt_acc or strong_acc, and no idea train_ceiling beside it"):
        compared(read(tmp_path))


def test_a_folder_without_results_has_none(tmp_path: Path) -> None:
    assert read(tmp_path) == []
