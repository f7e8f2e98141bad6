"""What the language-model task needs, by arithmetic: the published figures of AAR's setting, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fitness.registry import UsageError
from fitness.tasks.lm import cost
from fitness.tasks.lm.models import USUAL
from fitness.tasks.lm.task import from_folder

STRONG = USUAL["Qwen/Qwen3-4B-Base"]
ROWS, READ, TOKENS = 6826, 9000, 400  # rows of a fine-tune, rows that are read, tokens of a prompt
CARD, A100, H200 = (cost.gpu_of(name, 80e9) for name in ("", "NVIDIA A100-SXM4-80GB", "NVIDIA H200"))


@pytest.mark.parametrize(
    ("found", "stated", "within"),
    [
        (STRONG.parameters / 1e9, 4.0, 0.05),
        (USUAL["Qwen/Qwen1.5-0.5B-Chat"].parameters / 1e9, 0.46, 0.01),
        (cost.memory_of(STRONG, TOKENS).weights / 1e9, 8.0, 0.1),
        (cost.memory_of(STRONG, TOKENS, adapted=10).adapter / 1e9, 0.7, 0.05),  # with moments of 8 bits, as AAR has
        (cost.memory_of(STRONG, TOKENS).adapter / 1e9, 1.06, 0.01),  # with ours, of 32
        (cost.memory_of(STRONG, TOKENS).checkpoints / 1e9, 2.4, 0.05),
        (cost.memory_of(STRONG, TOKENS).logits / 1e6, 20, 1),
        (cost.logits_everywhere(STRONG, TOKENS) / 1e9, 7.8, 0.05),
        (cost.training(STRONG, ROWS, TOKENS) / 1e15, 328, 2),
        (cost.training(STRONG, ROWS, TOKENS) / CARD.rate / 60, 84, 1),
        (cost.training(STRONG, ROWS, TOKENS) / A100.rate / 60, 36, 0.5),
        (cost.training(STRONG, ROWS, TOKENS) / H200.rate / 60, 14, 0.5),
        (cost.reading(STRONG, READ, TOKENS) / CARD.rate / 60, 7, 0.5),
        (cost.reading(STRONG, READ, TOKENS) / A100.rate / 60, 3, 0.5),
        (cost.reading(STRONG, READ, TOKENS) / H200.rate / 60, 1, 0.5),
    ],
)
def test_the_figures_of_aars_setting(found: float, stated: float, within: float) -> None:
    assert found == pytest.approx(stated, abs=within)


def options(tmp_path: Path, **chosen: Any) -> dict[str, Any]:
    """Return the options of a folder of AAR's size: prompts of 1,600 letters."""
    for stem, rows in (("train_label", 6826), ("train_unlabel", 6826), ("test", 2174)):
        path = tmp_path / "data" / "chat" / f"{stem}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "x" * (1600 - len("Question: 0000000\nAnswer: c\nLabel:"))
        row = (json.dumps({"question": f"{i:07}{text}", "choice": "c", "label": i % 2 == 0}) for i in range(rows))
        path.write_text("\n".join(row))
    return dict(from_folder(tmp_path / "data", chosen).options)


def test_a_run_is_forecast_before_any_model_is_there(tmp_path: Path) -> None:
    made = cost.forecast(options(tmp_path, taught="probe", seeds=1), "NVIDIA A100-SXM4-80GB", 80e9, None)
    assert made.features == pytest.approx(0.55 * 2 * STRONG.parameters * READ * TOKENS / A100.rate, rel=0.01)
    assert made.finetune == pytest.approx((36 + 0.8) * 60, rel=0.03)
    assert (made.batch, made.ceilings, made.finetunes) == (32, 0, None)
    assert made.memory / 1e9 == pytest.approx(11.5, abs=0.1)
    assert made.lines[0].startswith("on NVIDIA A100-SXM4-80GB, by arithmetic: 11.5 GB for a fine-tune, 32 prompts at once")


def test_hours_are_counted_in_fine_tunes_after_what_is_made_once(tmp_path: Path) -> None:
    given = options(tmp_path, fidelity="finetune", seeds=1)
    made = cost.forecast(given, "NVIDIA H200", 141e9, 8)
    assert made.finetunes == int((8 * 3600 - made.features - made.teachers - made.ceilings) / made.finetune)
    assert made.ceilings == pytest.approx(made.finetune)
    assert f"{made.finetunes} fine-tunes fit in" in made.lines[-1]
    with pytest.raises(UsageError, match=r"--gpu-hours 0\.1 do not suffice .*: give --gpu-hours 0\.[67]"):
        cost.forecast(given, "NVIDIA H200", 141e9, 0.1)


def test_a_small_gpu_trains_on_fewer_prompts_at_once_and_too_small_a_one_is_refused(tmp_path: Path) -> None:
    given = options(tmp_path, seeds=1)
    assert cost.forecast(given, "NVIDIA RTX", 10.5e9, None).batch == 16
    with pytest.raises(UsageError, match=r"needs 9\.2 GB and NVIDIA RTX has 8\.0: name a strong model of at most 3\.5 billion"):
        cost.forecast(given, "NVIDIA RTX", 8e9, None)
