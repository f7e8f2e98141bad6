"""How fast models are read and trained is measured while they are, and forecasts go by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fitness.tasks.lm import cost, kept, models, rates
from fitness.tasks.lm.models import USUAL
from fitness.tasks.lm.rates import EVERY, LEAST, PROCESSOR, RateMeter, known
from tests.fitness.tasks.lm.test_lm_cost import STRONG, options
from tests.support import tiny_lm

WEAK = USUAL["Qwen/Qwen1.5-0.5B-Chat"]
H200 = "NVIDIA H200"


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def measured(device: str, work: rates.Work, shape: models.ModelShape, rate: float) -> None:
    """Have a rate measured."""
    hands = Hands()
    meter = RateMeter(device, work, shape, rate / 10, hands)
    meter.did(1)
    hands.now += LEAST
    meter.did(10 * int(LEAST))


def test_a_rate_is_kept_within_the_first_minute_and_the_beginning_does_not_count() -> None:
    hands = Hands()
    meter = RateMeter(H200, "reading", STRONG, 2.0, hands)
    hands.now += 50  # what a device takes to begin
    meter.did(1_000)
    hands.now += LEAST / 2
    meter.did(100)
    assert known(H200, "reading", STRONG) is None
    hands.now += LEAST / 2
    meter.did(100)
    assert known(H200, "reading", STRONG) == pytest.approx(400 / LEAST)
    hands.now += EVERY
    meter.did(1_000)
    assert known(H200, "reading", STRONG) == pytest.approx(2_400 / (LEAST + EVERY))
    assert known(H200, "training", STRONG) is None
    assert known("NVIDIA A100", "reading", STRONG) is None
    assert known(H200, "reading", WEAK) is None


@pytest.mark.parametrize("damage", ["", "nan", "-1", "0", "Infinity", "[1]", "{", "true and more"])
def test_what_is_no_rate_is_not_believed(damage: str) -> None:
    measured(H200, "training", STRONG, 1e14)
    assert known(H200, "training", STRONG) == pytest.approx(1e14)
    [path] = [path for path in kept.folder().glob("*.rate") if path.read_text().startswith("1")]
    path.write_text(damage)
    assert known(H200, "training", STRONG) is None
    path.unlink()


def test_a_forecast_goes_by_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "home"))
    chosen = options(tmp_path)
    before = cost.forecast(chosen, H200, 140e9, 8.0)
    assert "by arithmetic" in before.lines[0]
    measured(H200, "training", STRONG, 195e12)
    half = cost.forecast(chosen, H200, 140e9, 8.0)
    assert half.finetune == pytest.approx(2 * before.finetune, rel=0.01)
    assert half.features == before.features
    assert half.finetunes is not None
    assert before.finetunes is not None
    assert half.finetunes < before.finetunes
    assert "training by a rate measured here, the rest by arithmetic" in half.lines[0]
    measured(H200, "reading", STRONG, 39e12)
    both = cost.forecast(chosen, H200, 140e9, 8.0)
    assert both.features == pytest.approx(10 * before.features, rel=0.01)
    assert "by rates measured here" in both.lines[0]
    assert "by arithmetic" in cost.forecast(chosen, "NVIDIA A100-SXM4-80GB", 80e9, 8.0).lines[0]


def test_a_processor_is_forecast_only_once_both_were_measured_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "home"))
    chosen = options(tmp_path, taught="probe")
    measured(PROCESSOR, "reading", STRONG, 1e11)
    assert cost.forecast(chosen, "", 0.0, None).gpu == "a card of 24 GB"
    measured(PROCESSOR, "training", STRONG, 5e10)
    assert cost.forecast(chosen, "", 0.0, None).lines[0].startswith("on the processor, by rates measured here: ")


def test_reading_and_teaching_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_lm.needs_transformers()
    from fitness.tasks.lm.readers import Reader
    from fitness.tasks.lm.rows import load

    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(rates, "LEAST", 0.0)
    tiny_lm.save_model(tmp_path / "model", width=16, layers=2)
    tiny_lm.save_rows(tmp_path / "chat", np.random.default_rng(0), (60, 100, 100))
    domain = load(tmp_path / "chat")
    assert domain.labelled is not None
    reader = Reader(str(tmp_path / "model"), domain.train.format, 0.5, 256)
    shape = models.shape_of(str(tmp_path / "model"))
    reader.model._budget = 512  # several parts: the first is not counted
    reader.features(domain.train.prompts)
    rate = known(PROCESSOR, "reading", shape)
    assert rate is not None
    assert rate > 0
    assert known(PROCESSOR, "training", shape) is None
    reader.taught(domain.labelled, domain.test.prompts, 42, "finetune")
    assert known(PROCESSOR, "training", shape) is not None
