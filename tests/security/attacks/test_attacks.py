"""Every attack against every level, and against no walls at all: who got through is seen from outside (arena.py)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from evolve.screening.screen import Screen
from fitness.contracts.contract import Problem
from fitness.nouns import Limits, Outcome
from fitness.sandbox.sandbox import Sandbox
from fitness.sandbox.transfer import lay_out
from fitness.sandbox.verdict import THEFT
from tests.security.attacks.arena import (
    DISK,
    MEMORY,
    OUTPUT,
    ROOT,
    ROWS,
    SECONDS,
    Arena,
    Attempt,
    about,
    family,
    kill,
    name,
    scripts,
    settled,
    wait_for_less,
)
from tests.support.weak_to_strong import problem_of

LIMITS = Limits(seconds=SECONDS, memory=MEMORY, output=OUTPUT, disk=DISK)
CLASSES = {"read", "write", "signal", "network", "process", "memory", "disk", "output", "forgery", "inheritance", "namespaces"}
every_attack = pytest.mark.parametrize("script", scripts(), ids=name)
Record = Callable[[str, object], None]


def listed() -> dict[str, str]:
    """Return the attacks that docs/security.md admits to get through, and the levels at which they do."""
    text = (ROOT / "docs" / "security.md").read_text()
    return dict(re.findall(r"^\| `(\w+/\w+)` \| ([AB, ]+) \|", text, re.MULTILINE))


@pytest.fixture(scope="module")
def problem() -> Problem:
    """All arrays on one sheet, as the vault hands them out: later runs get the very same file."""
    rng = np.random.default_rng(3)
    arrays = {"train_x": rng.random((400, 16), np.float32), "weak": rng.random((400, 2), np.float32)}
    placed = lay_out({**arrays, "test_x": rng.random((ROWS, 16), np.float32)})
    return problem_of(placed["train_x"], placed["weak"], placed["test_x"], seed=1)


@pytest.mark.parametrize("level", ["A", "B"])
@every_attack
def test_an_attack_is_contained(
    script: Path,
    level: str,
    arena: Arena,
    sandboxes: Mapping[str, Sandbox],
    screen: Screen,
    problem: Problem,
    record_property: Record,
) -> None:
    if level not in sandboxes:
        pytest.skip(f"sandbox level {level} (see `python -m evolve doctor`)")
    source = arena.source(script, walls=True)
    if script.parent.name == "screen" and screen.parse(source).method is None:
        record_property("attack", (name(script), level, ""))
        return
    sandbox = sandboxes[level]
    before, processes, zygote = arena.look(), settled(), sandbox._zygote.process.pid
    evidence: list[str] = []
    heir = script.parent.name == "inheritance"
    for _ in range(2 if heir else 1):  # the second looks for what the first left
        outcome, framed = beside_another(sandbox, str(source), problem) if heir else alone(sandbox, str(source), problem)
        values = np.array([]) if outcome.predictions is None else outcome.predictions.ravel()
        evidence += arena.seen(Attempt(outcome.status, values, outcome.seconds, outcome.message), before)
        if framed:
            evidence.append("another run is accused")
    if len(left := wait_for_less(len(processes))) > len(processes):
        evidence.append("a process of it is alive")
        kill(left - processes)
    if not sandbox._zygote.alive() or sandbox._zygote.process.pid != zygote:
        evidence.append("the zygote is dead")
    if evidence:
        arena.reset()
    record_property("attack", (name(script), level, "; ".join(evidence)))
    expected = level in listed().get(name(script), "")
    assert bool(evidence) == expected, evidence or "it is contained: take it out of docs/security.md"


def alone(sandbox: Sandbox, source: str, problem: Problem) -> tuple[Outcome, bool]:
    """Run an attack by itself: nobody else can be accused."""
    return sandbox.run(source, problem, LIMITS), False


def beside_another(sandbox: Sandbox, source: str, problem: Problem) -> tuple[Outcome, bool]:
    """Run an attack while another run is under way; tell whether that one was accused of a theft."""
    found: list[Outcome] = []
    quiet = "import time\ndef method(problem):\n    time.sleep(0.5)\n    return problem.test_x[:, 0]\n"
    beside = threading.Thread(target=lambda: found.append(sandbox.run(quiet, problem, LIMITS)))
    beside.start()
    outcome = sandbox.run(source, problem, LIMITS)
    beside.join()
    return outcome, found[0].message == THEFT


@pytest.mark.slow
@every_attack
def test_it_gets_through_where_there_are_no_walls(script: Path, arena: Arena, record_property: Record) -> None:
    before, processes = arena.look(), family()
    source = arena.source(script, walls=False)
    evidence = arena.parsed(source) if script.parent.name == "screen" else []
    for _ in range(2 if script.parent.name == "inheritance" else 1):
        if not evidence and isinstance(source, str):
            evidence += arena.seen(arena.plain(source), before)
    known = processes | arena.processes()
    if left := wait_for_less(len(known)) - known:
        evidence.append("a process of it is alive")
        kill(left)
    if evidence:
        arena.reset()
    record_property("attack", (name(script), "plain", "; ".join(evidence)))
    assert evidence or "Plain:" in about(script), "its success cannot be seen, or the script is wrong"


@pytest.mark.slow
def test_an_ordinary_user_contains_them_too(tell: Callable[[str], None]) -> None:
    """Root runs the whole suite again as nobody: there are fewer rights to lose, and other doors in the kernel."""
    if os.geteuid() != 0:
        pytest.skip("becoming another user (needs root)")
    place = [sys.executable, str(ROOT / "tests" / "support" / "places.py"), "ordinary_user"]
    suite = [sys.executable, "-m", "pytest", "tests/security/attacks", "-q", "-p", "no:cacheprovider", "-k", "contained"]
    with tempfile.TemporaryDirectory() as short:  # the path of a socket must be
        own = {**os.environ, "TMPDIR": short}
        done = subprocess.run([*place, *suite], cwd=ROOT, env=own, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    tell(f"as an ordinary user: {re.sub(' +', ' ', next(x for x in done.stdout.splitlines() if x.startswith('all')))}")


def test_there_are_enough_attacks_of_every_class() -> None:
    by_class = {kind: [s for s in scripts() if s.parent.name == kind] for kind in {s.parent.name for s in scripts()}}
    assert set(by_class) == CLASSES | {"screen"}
    assert all(len(found) >= 5 for found in by_class.values())
    assert len(scripts()) >= 60


@every_attack
def test_an_attack_says_what_it_wants(script: Path) -> None:
    assert re.match(r"Wants .+\. Success: .+\.", about(script)), about(script)


def test_what_security_md_admits_exists() -> None:
    assert {*listed()} <= {name(script) for script in scripts()}
    assert f"the {len(scripts())} scripts of" in (ROOT / "docs" / "security.md").read_text()
