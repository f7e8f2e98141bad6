"""Which dev rows methods have right: in the instance's order, kept beside the labels, one number a pair told of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.cached_judge import CachedJudge
from fitness.contracts.arranging import pack
from fitness.contracts.probabilities import ACCURACY, PROBABILITIES
from fitness.judge import Judge
from fitness.nouns import Method, Split, Status
from fitness.tasks import load
from fitness.tasks.calling import OwnScoring
from fitness.tasks.secret import Secret
from fitness.vault.cache import ScoreCache
from fitness.vault.instance import Answers, InstanceName
from fitness.vault.marks import Marks, marked
from fitness.vault.rows import RowStore
from tests.fitness.test_judge import METHOD, FakeVault, Scripted, dev, failed, right

KEY = Secret(b"k" * 32)
OTHER = Method("other", "other source", 256)
TASK = load("embedded")


def store(folder: Path, key: Secret = KEY) -> RowStore:
    return RowStore(ScoreCache(folder, key, {"task": ["t", "1"]}))


def judge(rows: RowStore, sandbox: Scripted) -> Judge:
    vault = FakeVault()
    return Judge(TASK, vault, sandbox, vault.load, threading.Event(), rows=rows)  # type: ignore[arg-type]


def kept(rows: RowStore, marks: dict[str, Sequence[Marks]]) -> None:
    """Keep the marks of methods, one dev instance after the other."""
    for method, found in marks.items():
        for name, one in zip(dev(len(found)), found):
            rows.note(method, name, one)
        rows.settle(method, keep=True)


@given(st.integers(0, 2**32 - 1))
def test_marks_stand_in_the_instances_order_whatever_was_drawn_for_the_trial(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, teacher = rng.integers(0, 2, 50), np.eye(2)[rng.integers(0, 2, 50)]
    said = rng.integers(0, 2, 50)  # what the method answers about each row of the instance
    arrays = {
        "train_x": rng.random((9, 3), np.float32),
        "weak": np.eye(2)[rng.integers(0, 2, 9)],
        "test_x": rng.random((50, 3), np.float32),
    }
    packing = pack(PROBABILITIES, arrays, lambda label: rng)
    shown = packing.rows["n_test"]
    answers = Answers(PROBABILITIES, ACCURACY, {"test_y": truth, "teacher": teacher}, 0.5, 1.0, packing.rows)
    marks = answers.marks(np.eye(2, dtype=np.float32)[said[shown]])
    assert marks is not None
    assert [bool(marks.shown >> row & 1) for row in range(50)] == [row in shown for row in range(50)]
    assert [bool(marks.right >> row & 1) for row in range(50)] == [
        row in shown and said[row] == truth[row] for row in range(50)
    ]


def test_what_one_adds_to_another_is_the_share_of_rows_that_it_mends(tmp_path: Path) -> None:
    """Rows 0 to 4; on the second instance the methods were shown other rows: only those that both saw count."""
    rows = store(tmp_path)
    ours = [Marks(0b11111, 0b00011), Marks(0b01111, 0b00000)]
    theirs = [Marks(0b11111, 0b01101), Marks(0b11110, 0b00110)]
    kept(rows, {"ours": ours, "theirs": theirs, "elsewhere": [Marks(0b10000, 0b10000)]})
    assert rows.adds("ours", "theirs", dev(2)) == pytest.approx((2 / 5 + 2 / 3) / 2)
    assert rows.adds("theirs", "ours", dev(2)) == pytest.approx((1 / 5 + 0) / 2)
    assert rows.adds("ours", "theirs", dev(1)) == pytest.approx(2 / 5), "of the run's own instances"
    assert rows.adds("ours", "ours", dev(2)) == 0
    assert rows.adds("ours", "elsewhere", dev(2)) == 1
    assert rows.adds("elsewhere", "ours", dev(2)) == 0
    assert rows.adds("ours", "nobody", dev(2)) is rows.adds("ours", "theirs", dev(2)[2:]) is None


def test_places_are_packed_as_bits() -> None:
    assert marked(np.array([4, 0, 9]), np.array([True, False, True])) == Marks(0b1000010001, 0b1000010000)
    assert marked(np.array([], int), np.array([], bool)) == Marks(0, 0)


def test_a_judged_method_is_known_to_the_next_process_and_what_failed_or_lost_its_race_is_not(tmp_path: Path) -> None:
    judge(store(tmp_path), Scripted(right(0.8))).evaluate(METHOD, dev(10))
    judge(store(tmp_path), Scripted(right(0.9))).evaluate(OTHER, dev(10))
    judge(store(tmp_path), Scripted(right(0.1))).evaluate(Method("beaten", "b", 9), dev(10), rival=[0.9] * 10)
    judge(store(tmp_path), Scripted(right(0.9), failed(Status.CRASHED))).evaluate(Method("broken", "c", 9), dev(10))
    judge(store(tmp_path), Scripted(right(0.9))).evaluate(Method("few", "d", 9), dev(9))
    again = store(tmp_path)
    assert again.adds("m", "other", dev(10)) == pytest.approx(0.1)
    assert again.adds("other", "m", dev(10)) == 0
    assert {again.adds("m", name, dev(10)) for name in ("beaten", "broken", "few")} == {None}


def test_nothing_is_kept_of_instances_that_selection_never_sees_nor_of_trials_drawn_for_a_pair(tmp_path: Path) -> None:
    fresh = [InstanceName("t", "chat", Split.FRESH, i) for i in range(10)]
    judge(store(tmp_path), Scripted(right(0.8))).evaluate(METHOD, fresh)
    judge(store(tmp_path), Scripted(right(0.8))).evaluate(METHOD, dev(10), draw="a+b")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_baseline_that_is_not_run_again_has_its_rows_too(tmp_path: Path) -> None:
    def cached(rows: RowStore, sandbox: Scripted) -> CachedJudge:
        vault, scores = FakeVault(), ScoreCache(tmp_path / "scores", KEY, {})
        arguments = TASK, vault, sandbox, vault.load, threading.Event(), None
        return CachedJudge(scores, [METHOD.id], *arguments, rows)  # type: ignore[arg-type]

    cached(store(tmp_path / "gone"), Scripted(right(0.8))).evaluate(METHOD, dev(10))
    rows, idle = store(tmp_path / "rows"), Scripted(failed(Status.CRASHED))
    cached(rows, idle).evaluate(METHOD, dev(10))
    judge(rows, Scripted(right(0.9))).evaluate(OTHER, dev(10))
    assert idle.runs == 0
    assert rows.adds("m", "other", dev(10)) == pytest.approx(0.1)


def test_a_task_whose_answers_have_no_rows_keeps_nothing(tmp_path: Path) -> None:
    rows = store(tmp_path)
    answers = Answers(PROBABILITIES, OwnScoring("own", None, ()), {}, 0.0, 1.0, {})
    assert answers.marks(np.eye(2, dtype=np.float32)) is None
    rows.note("m", dev(1)[0], None)
    rows.settle("m", keep=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("harm", ["cut", "one bit", "emptied", "planted", "another method's"])
def test_a_damaged_or_planted_file_of_rows_is_dropped(harm: str, tmp_path: Path) -> None:
    kept(store(tmp_path), {"m": [Marks(0b11, 0b01)], "n": [Marks(0b11, 0b10)]})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert store(tmp_path).adds("m", "n", dev(1)) == 0.5
    kept(store(tmp_path / "theirs", Secret(b"x" * 32)), {"m": [Marks(0b11, 0b00)], "n": [Marks(0b11, 0b11)]})
    planted = iter([path.read_bytes() for path in (tmp_path / "theirs").rglob("*") if path.is_file()])
    swapped = dict(zip(before, reversed(list(before.values()))))
    for path, data in before.items():
        last = len(data) - 5
        path.write_bytes(
            {
                "cut": data[:-3],
                "one bit": data[:last] + bytes([data[last] ^ 1]) + data[last + 1 :],
                "emptied": b"",
                "planted": next(planted),
                "another method's": swapped[path],
            }[harm]
        )
    assert len(before) == 2
    assert store(tmp_path).adds("m", "n", dev(1)) is None


def test_what_was_kept_first_goes_first_when_there_is_too_much(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path, KEY, {})
    for number in range(6):
        cache.put({"method": number}, "x" * 1000)
        [new] = [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_mtime > 100]
        os.utime(new, (number, number))
    cache.prune(3500)
    assert [number for number in range(6) if cache.get({"method": number})] == [3, 4, 5]
    ScoreCache(tmp_path / "nowhere", KEY, {}).prune(0)


def test_threads_that_settle_while_others_ask_lose_nothing(tmp_path: Path) -> None:
    rows = store(tmp_path)
    names = [f"m{number}" for number in range(40)]
    work = [threading.Thread(target=partial(kept, rows, {name: [Marks(0b11, 0b01)]})) for name in names]
    for thread in work:
        thread.start()
        rows.adds("m0", "m1", dev(1))
    for thread in work:
        thread.join()
    assert {store(tmp_path).adds("m0", name, dev(1)) for name in names} == {0.0}
