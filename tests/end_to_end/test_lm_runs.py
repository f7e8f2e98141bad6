"""The task lm without weights: a check, a dry run, a search of 20 candidates, and a method judged at both fidelities."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from archives.archive import Archive
from evolve.cli import run
from fitness import tasks
from fitness.sandbox.inside.recipe import DEVIATIONS
from tests.support import tiny_lm

tiny_lm.needs_transformers()

SMALL = [
    word
    for setting in ("dev_instances=4", "fresh_instances=2", "held_out_instances=1", "finalists=1")
    for word in ("--set", setting)
]


@pytest.fixture(autouse=True)
def _forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command is a process of its own to its user."""
    monkeypatch.setattr(tasks, "_ADMITTED", {})
    monkeypatch.setattr(tasks, "_DATA_NAMED", [])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, and data of two domains."""
    place = tmp_path_factory.mktemp("lm")
    tiny_lm.save_model(place / "strong")
    tiny_lm.save_model(place / "weak", seed=1, width=16, layers=2)
    for seed, domain in enumerate(("chat", "other")):
        tiny_lm.save_rows(place / "data" / domain, np.random.default_rng(seed), (60, 300, 400))
    return place


def task(folder: Path, **more: object) -> list[str]:
    """Return the flags that name the task."""
    options = {"weak": str(folder / "weak"), "strong": str(folder / "strong"), "taught": "probe", "seeds": 2, **more}
    table = ", ".join(f"{name} = {json.dumps(value)}" for name, value in options.items())
    return ["--task", "lm", "--data", str(folder / "data"), "--set", f"options={{{table}}}"]


def test_a_search_of_twenty_candidates(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "run.db"
    assert run(["start", *task(folder, taught="finetune"), *SMALL, "--evals", "20", "--device", "cpu", "--db", str(db)]) == 0
    said = capsys.readouterr()
    assert "PGR on instances that selection never saw" in said.out
    with contextlib.closing(Archive.open(db)) as archive:
        assert archive.judged() == 20
        noted = {row["text"] for row in archive.rows("select text from events where kind = 'note'")}
    assert noted >= set(DEVIATIONS)
    written = db.read_bytes()
    assert b"entity" not in written, "the archive holds a text"
    assert run(["resume", "--db", str(db), "--data", str(folder / "data"), "--evals", "+1", "--device", "cpu"]) == 0
    with (folder / "data" / "chat" / "test.jsonl").open("a") as file:
        file.write("\n")
    capsys.readouterr()
    assert run(["resume", "--db", str(db), "--data", str(folder / "data"), "--evals", "+1"]) == 2
    assert "chat/test.jsonl has changed" in " ".join(capsys.readouterr().err.split())


def test_one_method_file_is_judged_at_both_fidelities(
    folder: Path, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small"
    for name in ("weak", "strong"):
        shutil.copytree(folder / name, small / name)
    tiny_lm.save_rows(small / "data" / "chat", np.random.default_rng(3), (60, 120, 200))
    method = str(root / "seeds" / "vanilla.py")
    found = {}
    for fidelity in ("probe", "finetune"):
        words = ["judge", method, *task(small, fidelity=fidelity), "--instances", "1", "--device", "cpu", "--json"]
        assert run(words) == 0
        found[fidelity] = json.loads(capsys.readouterr().out)
    assert {one["status"] for one in found.values()} == {"OK"}
    assert isinstance(found["probe"]["auc_pgr"], float)
    assert {fidelity: one["instances"][0]["notes"] for fidelity, one in found.items()} == {
        "probe": {},
        "finetune": {"finetuned": 1},
    }


def test_a_dry_run_says_what_fits_and_refuses_what_does_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["start", "--task", "lm", "--data", str(folder / "data"), "--dry-run", "--set", "dev_instances=4"]
    assert run([*words, "--gpu-hours", "8"]) == 0
    said = capsys.readouterr().out
    assert "by arithmetic: 9." in said
    assert "fine-tunes fit in after what is made once" in said
    assert run([*words, "--gpu-hours", "0.0001"]) == 2
    assert "do not suffice" in capsys.readouterr().err
    assert run(["start", "--dry-run", "--gpu-hours", "8"]) == 2
    assert "--gpu-hours goes with a task that trains models" in capsys.readouterr().err
    assert run(["start", "--gpu-hours", "8"]) == 2
    assert "--gpu-hours says with --dry-run what would fit" in capsys.readouterr().err


@pytest.mark.parametrize("which", ["weak", "strong"])
def test_a_damaged_model_is_refused_before_any_model_is_asked(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], which: str
) -> None:
    db, own = tmp_path / "run.db", shutil.copytree(folder / which, tmp_path / "own")
    words = ["start", *task(folder, **{which: str(own)}), *SMALL, "--db", str(db)]
    settings = json.loads((own / "tokenizer_config.json").read_text())
    without = {name: value for name, value in settings.items() if name not in ("pad_token", "eos_token", "unk_token")}
    (own / "tokenizer_config.json").write_text(json.dumps(without))
    assert run(words) == 2
    assert "fails the check 'model own': the tokenizer has no padding token" in " ".join(capsys.readouterr().err.split())
    (own / "tokenizer_config.json").write_text(json.dumps(settings))
    (own / "model.safetensors").write_bytes((own / "model.safetensors").read_bytes()[:-9])
    assert run(words) == 2
    assert "bytes: download the model, or save it, again" in " ".join(capsys.readouterr().err.split())
    assert not db.exists()


def test_a_missing_model_is_refused_before_there_is_a_run(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = tmp_path / "run.db"
    words = ["start", "--task", "lm", "--data", str(folder / "data"), *SMALL, "--db", str(db)]
    assert run([*words, "--set", 'options={strong="nobody/has-this"}']) == 2
    assert "download it once with `hf download nobody/has-this`" in capsys.readouterr().err
    assert run(words) == 2
    assert "fails the check 'model Qwen3-4B-Base'" in " ".join(capsys.readouterr().err.split())
    assert not db.exists()
    assert run([*words, "--set", 'options={stronk="x"}']) == 2
    assert "the task has no option 'stronk': it has classes, ceiling" in capsys.readouterr().err


def test_the_best_probes_earn_fine_tunes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = tmp_path / "small"
    for name in ("weak", "strong"):
        shutil.copytree(folder / name, small / name)
    tiny_lm.save_rows(small / "data" / "chat", np.random.default_rng(3), (60, 120, 200))
    db = tmp_path / "run.db"
    words = ["start", *task(small), *SMALL, "--set", "held_out_instances=0", "--evals", "3", "--device", "cpu", "--db", str(db)]
    assert run(words) == 0
    capsys.readouterr()
    promote = ["promote", "--db", str(db), *task(small, fidelity="finetune"), "--methods", "4", "--instances", "1"]
    assert run([*promote, "--device", "cpu", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["status"] for one in found["methods"]] == ["OK"] * 4
    assert [one["instances"] for one in found["methods"]] == [2, 2, 1, 1]
    assert found["compared"] == 4
    assert -1 <= found["correlation"] <= 1
    assert run([*promote, "--device", "cpu"]) == 0
    assert "Rank correlation of the run's dev PGR with PGR here (Spearman)" in capsys.readouterr().out
