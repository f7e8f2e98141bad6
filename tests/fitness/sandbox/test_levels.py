"""Below level B: methods run only when they are trusted, and then behind the walls that this machine still has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fitness.sandbox.doctor import CONTAINED, LEVELS, Diagnosis, Wall

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[3]
SCRIPT = """
import json, os, sys
sys.path.insert(0, "tests/fitness/sandbox")
from tests.support.masked import mask
mask(set(sys.argv[1].split("+")))
from fitness.nouns import SandboxUnavailable
from fitness.sandbox.sandbox import Sandbox
from fitness.sandbox.doctor import diagnose
from small_problem import LIMITS, make_problem

def ran(line):
    source = f"import os\\ndef method(problem):\\n    {line}\\n    return problem.test_x[:, 0] > 0\\n"
    return str(sandbox.run(source, problem, LIMITS).status)

try:
    Sandbox()
except SandboxUnavailable as error:
    refusal = str(error)
try:
    Sandbox("A", trust=True)
except SandboxUnavailable as error:
    higher = str(error)
problem = make_problem()
with Sandbox(trust=True) as sandbox:
    print(json.dumps({
        "refusal": refusal, "higher": higher, "level": sandbox.level, "summary": sandbox.summary,
        "read": ran(f"open({__import__('fitness.nouns').nouns.__file__!r}).close()"),
        "write": ran(f"open({sys.argv[2]!r}, 'w').close()"), "fork": ran("os.fork() or os._exit(0)"), "plain": ran("pass"),
    }))
"""


def masked(walls: str, tmp_path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, walls, str(tmp_path / "written")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("walls", "reads", "forks"),
    [
        ("landlock+bubblewrap", "OK", "CRASHED"),
        ("seccomp+bubblewrap", "CRASHED", "OK"),
        ("landlock+seccomp+bubblewrap", "OK", "OK"),
    ],
)
def test_trusted_methods_run_behind_the_walls_that_are_left(
    walls: str, reads: str, forks: str, reached: tuple[str, ...], tmp_path: Path
) -> None:
    if not reached:
        pytest.skip("masking walls (there are too few here to begin with)")
    found = masked(walls, tmp_path)
    assert found["level"] == "none"
    assert (found["plain"], found["read"], found["write"], found["fork"]) == ("OK", reads, reads, forks)
    assert (tmp_path / "written").exists() == (reads == "OK")
    assert "sandbox level A or B cannot be reached" in found["refusal"]
    assert "--trust-methods" in found["refusal"]
    assert "sandbox level A cannot be reached" in found["higher"], "trust never stands for a level that is not there"
    for name in walls.split("+"):
        assert f"{name}: " in found["refusal"]
        assert f"{name} is down" in found["summary"]


def test_without_landlock_a_trusted_method_runs_inside_bubblewrap(reached: tuple[str, ...], tmp_path: Path) -> None:
    if "A" not in reached:
        pytest.skip("sandbox level A (see `python -m evolve doctor`)")
    found = masked("landlock", tmp_path)
    assert (found["level"], found["plain"], found["read"], found["fork"]) == ("C", "OK", "CRASHED", "CRASHED")
    assert not (tmp_path / "written").exists()


def test_a_summary_says_what_is_missing_and_what_that_means() -> None:
    names = ("rlimits", "landlock", "seccomp", "children", "bubblewrap")
    for level in LEVELS:
        found = Diagnosis(
            level,
            tuple(Wall(name, False, "not here") for name in names),
        )
        assert found.summary.startswith(f"sandbox level {level}, ")
        assert "landlock is down: not here" in found.summary
        assert bool(found.dangers) == (level not in CONTAINED)
        assert not found.usable, "nothing runs where nothing could stop it"
