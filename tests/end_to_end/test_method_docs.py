"""docs/method.md from its first line to its last: every command, run outside the checkout, but on a smaller task."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from evolve.cli import run
from tests.support import tiny

PAGE = Path(__file__).parents[2] / "docs" / "method.md"
COMMANDS = re.findall(r"^    python -m evolve (.+)$", PAGE.read_text(), re.MULTILINE)
(IDEA,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    Path("runs").mkdir()
    Path("smooth.py").write_text(IDEA)
    Path("wide.py").write_text(IDEA.replace("NEIGHBOURS = 50", "NEIGHBOURS = 200"))

    def ran(words: str) -> str:
        verb, *rest = words.replace("--evals 40", "--evals 2").replace("--instances 10", "--instances 4").split()
        few = [] if "--instances" in rest else ["--instances", "4"]
        more = {"start": tiny.SMALL, "judge": ["--no-probes", "--task", "tiny", *few]}.get(verb, ["--task", "tiny"])
        assert run([verb, *rest, *more]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return ran


def test_from_a_blank_file_to_a_difference_by_the_commands_of_the_page(command: Callable[[str], str]) -> None:
    new, stub, smooth, both, ablation, *_ = COMMANDS
    assert "wrote my_idea.py" in command(new)
    said = command(stub)
    assert said.startswith("my_idea.py on chat: OK\n")
    assert re.search(r"against lda \(PGR -?\d\.\d{3} on the same rows and seeds\): [+-]\d\.\d{3}, 90 % interval", said)
    assert "teacher.confidence" in said
    noted = command(smooth)
    assert all(name in noted for name in ("labels.changed", "confidence.before", "confidence.after"))
    assert re.findall(r"^(\w+\.py) on chat: OK$", command(both), re.MULTILINE) == ["smooth.py", "wide.py"]
    verdict = json.loads(command(ablation))
    assert (verdict["against"]["name"], len(verdict["instances"])) == ("smooth", 4)
    assert verdict["against"]["low"] <= verdict["against"]["difference"] <= verdict["against"]["high"]


def test_a_method_is_judged_against_the_best_of_a_search_and_joins_it_by_the_commands_of_the_page(
    command: Callable[[str], str],
) -> None:
    search, best, added = COMMANDS[5:]
    command(search)
    assert "on the same rows and seeds" in command(best)
    assert "OK: PGR" in command(added)


@pytest.mark.quick
def test_new_never_writes_over_a_file_and_takes_names_of_methods_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["new", "mine.py"]) == 0
    Path("mine.py").write_text("mine")
    Path("link.py").symlink_to("elsewhere.py")
    sentences = {
        "mine.py": "is there already, and nothing was written",
        "link.py": "is there already",
        "idea": "is no name for a method: write one like my_idea.py",
        "_hidden.py": "is no name for a method",
        "two words.py": "is no name for a method",
        "../.py": "is no name for a method",
        "nowhere/mine.py": "cannot write nowhere/mine.py: No such file or directory",
    }
    for name, sentence in sentences.items():
        assert run(["new", name]) == 2, name
        assert sentence in capsys.readouterr().err
    assert Path("mine.py").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.py", "mine.py"]
