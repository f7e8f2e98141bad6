"""The task `scale`: its domains are the sizes whose weights are there, and what is missing is told with what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evolve import config
from evolve.runs.checks import check_config
from evolve.runs.judge import JudgeRequest, judge
from evolve.testing import check_task
from fitness.registry import UsageError
from fitness.tasks import domains
from fitness.tasks.scale import task
from fitness.tasks.scale.source import ScaleSource
from fitness.tasks.secret import Secret
from tests.support import sizes

SHIPPED = sorted(task.WEIGHTS.glob("*.safetensors"))


def test_the_smallest_size_is_searched_on_and_the_larger_ones_are_held_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = sizes.register(monkeypatch, tmp_path / "weights")
    assert (small.search_domains, small.held_out_domains, list(small.absent)) == (("1m",), ("5m",), ["20m"])
    check_task(small, drawn=domains(small))


def test_without_the_smallest_student_the_command_that_trains_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"student 1m .* python -m fitness.assets.pretrain scale/1m, or set EVOLVE"):
        sizes.register(monkeypatch, tmp_path / "weights", {"5m": "strong"})


def test_a_size_without_weights_is_refused_with_the_command_that_trains_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = sizes.register(monkeypatch, tmp_path / "weights")
    with pytest.raises(UsageError, match="scale/20m"):
        check_config(small, config.resolve({"task": "scale", "domain": "20m"}))
    with pytest.raises(UsageError, match="scale/20m"):
        judge([], JudgeRequest("scale", "20m"), print, print)


def test_weights_of_ones_own_come_first_and_make_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "WEIGHTS", sizes.weights(tmp_path / "ours"))
    ours = task.scale(sizes.SIZES)
    own = sizes.weights(tmp_path / "own", {"5m": "weak", "20m": "strong"})
    mixed = task.scale(sizes.SIZES, folder=str(own))
    assert ours.options["strong"]["5m"] == str(tmp_path / "ours" / "5m.safetensors")
    assert mixed.options["strong"] == {
        "1m": str(tmp_path / "ours" / "1m.safetensors"),
        "5m": str(own / "5m.safetensors"),
        "20m": str(own / "20m.safetensors"),
    }
    assert ours.version != mixed.version
    with pytest.raises(UsageError, match="which is no folder: name one"):
        task.scale(folder=str(tmp_path / "nowhere"))


def test_the_student_of_a_domain_is_the_one_it_is_named_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = sizes.register(monkeypatch, tmp_path / "weights", {**sizes.READ_BY, "5m": "weak"})
    source = ScaleSource(small.options)
    drawn = {size: source.draw(size, Secret(b"s" * 32)) for size in ("1m", "5m")}
    assert {size: one.public["train_x"].shape for size, one in drawn.items()} == {"1m": (500, 256), "5m": (500, 64)}
    assert drawn["1m"].floor == drawn["5m"].floor, "one weak teacher labels for all of them"
    assert np.allclose(np.linalg.norm(drawn["5m"].public["train_x"], axis=1), 2, atol=1e-4)


def test_what_is_shipped_is_small_and_as_large_as_it_is_named() -> None:
    from fitness.assets.transformer import load

    assert {"1m"} <= {path.stem for path in SHIPPED}
    assert sum(path.stat().st_size for path in SHIPPED) <= 12e6
    for path in SHIPPED:
        parameters = sum(tensor.numel() for tensor in load(path).parameters())
        named = {"1m": 1e6, "5m": 5e6, "20m": 2e7}[path.stem]
        assert named / 1.25 < parameters < 1.25 * named
