"""The canary: whoever opens the decoy vault is named, nobody else is, and nothing of it stays behind."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_problem import LIMITS

from fitness.contracts.contract import Problem
from fitness.nouns import Outcome, SandboxUnavailable, Status
from fitness.sandbox import canary, launch
from fitness.sandbox.canary import KEY, LABELS, Canary, Decoy
from fitness.sandbox.sandbox import Sandbox
from fitness.sandbox.verdict import THEFT

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[3]
SEEDS = sorted((ROOT / "seeds").glob("*.py"))

METHOD = """
import ctypes, mmap, os, pathlib, sys
import numpy as np, torch
def method(problem):
    home = os.environ["EVOLVE_HOME"]
{body}
    return torch.full((len(problem.test_x),), 0.5)
"""
THEFTS = {
    "open": f"open(home + '/{LABELS}', 'rb').close()",
    "a low-level open": f"os.close(os.open(home + '/{KEY}', os.O_RDONLY))",
    "numpy.fromfile": f"np.fromfile(home + '/{LABELS}', dtype=np.uint8)",
    "numpy.load": f"assert set(np.load(home + '/{LABELS}')) == {{0, 1}}",
    "a mapping": f"np.memmap(home + '/{LABELS}', mode='r')",
    "the C library": f"ctypes.CDLL(None).open((home + '/{KEY}').encode(), 0)",
    "listing the home": "os.listdir(home)",
    "listing the vault": "os.scandir(home + '/vault')",
    "walking": "list(os.walk(home))",
    "a glob": "assert list(pathlib.Path(home).rglob('*.npy'))",
    "a theft, then a crash": f"open(home + '/{KEY}'); sys.exit('nothing to see')",
    "a theft, then a sudden exit": f"open(home + '/{KEY}'); os._exit(0)",
    "a theft, then a bad answer": f"open(home + '/{KEY}'); return None",
}
HONEST = {
    "nothing": "pass",
    "reading the environment": "assert dict(os.environ)['EVOLVE_HOME'] == home",
    "asking whether it is there": f"assert os.path.isdir(home) and os.stat(home + '/{KEY}').st_size == 32",
    "a path that does not exist": "assert not os.path.exists(home + '/vault/other')",
}


def run(sandbox: Sandbox, problem: Problem, body: str) -> Outcome:
    return sandbox.run(METHOD.format(body=textwrap.indent(textwrap.dedent(body), "    ")), problem, LIMITS)


@pytest.mark.parametrize("name", THEFTS)
def test_a_thief_is_a_violation_however_the_run_ends(sandbox: Sandbox, problem: Problem, name: str) -> None:
    outcome = run(sandbox, problem, THEFTS[name])
    assert (outcome.status, outcome.predictions, outcome.message) == (Status.VIOLATION, None, THEFT)


def test_a_thief_who_runs_out_of_time_is_still_a_thief(sandbox: Sandbox, problem: Problem) -> None:
    source = METHOD.format(body=f"    open(home + '/{KEY}')\n    while True: pass")
    assert sandbox.run(source, problem, replace(LIMITS, seconds=0.3)).message == THEFT


@pytest.mark.parametrize("name", HONEST)
def test_what_opens_nothing_is_no_theft(sandbox: Sandbox, problem: Problem, name: str) -> None:
    outcome = run(sandbox, problem, HONEST[name])
    assert outcome.status is Status.OK, outcome.message


def test_other_runs_decoys_cannot_be_found(sandbox: Sandbox, problem: Problem) -> None:
    outcome = run(sandbox, problem, "os.listdir(os.path.dirname(home))")
    assert outcome.status is Status.CRASHED
    assert "Permission denied" in outcome.message


def test_nothing_can_be_changed_there(sandbox: Sandbox, problem: Problem) -> None:
    for body in ("open(home + '/mine', 'w')", "os.rename(home, home + 'x')", f"os.unlink(home + '/{KEY}')"):
        assert run(sandbox, problem, body).status is Status.CRASHED, body


def test_innocents_beside_thieves_are_not_accused(sandbox: Sandbox, problem: Problem) -> None:
    wait = "end = __import__('time').monotonic() + 0.05\nwhile __import__('time').monotonic() < end: pass\n"
    bodies = [wait + (THEFTS["open"] if i % 3 == 0 else "pass") + "\n" + wait for i in range(12)]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda body: run(sandbox, problem, body), bodies))
    assert [o.status for o in outcomes] == [Status.OK if i % 3 else Status.VIOLATION for i in range(12)]


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_no_baseline_touches_it(sandboxes: dict[str, Sandbox], problem: Problem, path: Path) -> None:
    if not sandboxes:
        pytest.skip("sandbox level B (see `python -m evolve doctor`)")
    outcome = next(iter(sandboxes.values())).run(path.read_text(), problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message


def test_each_run_has_its_own_and_takes_it_along() -> None:
    planter = Canary()
    try:
        with planter.planted() as one, planter.planted() as two:
            assert one.home != two.home
            assert not planter.opened(one)
            assert set(np.load(two.home / LABELS)) == {0, 1}
            assert (planter.opened(one), planter.opened(two)) == (False, True)
        assert not one.home.exists()
        assert stat.S_IMODE(planter.folder.stat().st_mode) == 0o300
    finally:
        planter.close()
    planter.close()
    assert not planter.folder.exists()


def test_an_event_that_comes_after_its_run_accuses_nobody() -> None:
    planter = Canary()
    try:
        with planter.planted() as over:
            (over.home / KEY).read_bytes()
        with planter.planted() as next_one:
            assert not planter.opened(next_one)
    finally:
        planter.close()


def test_what_a_killed_process_left_is_swept_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = f"import sys, tempfile; sys.path.insert(0, {str(ROOT)!r}); tempfile.tempdir = {str(tmp_path)!r}\n"
    code += "from fitness.sandbox.canary import Canary; c = Canary(); print('up', flush=True); sys.stdin.read()"
    clients = [subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    for client in clients:
        assert client.stdout is not None
        assert client.stdout.readline() == b"up\n"
    clients[0].kill()
    clients[0].wait()
    monkeypatch.setattr(canary, "YOUNG", -1.0)
    before = set(os.listdir(tmp_path))
    ours = Canary()
    try:
        left = set(os.listdir(tmp_path)) - {ours.folder.parent.name}
        assert len(before) == 2
        assert len(left) == 1
    finally:
        ours.close()
        clients[1].kill()
        for client in clients:
            client.communicate()


def test_a_folder_that_cannot_be_made_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(SandboxUnavailable, match=r"the canary cannot be planted in .*nowhere"):
        Canary()


SLEEPY = METHOD.format(body="    __import__('time').sleep(1.0)")


def everywhere(stop: threading.Event) -> None:
    """Go through the temporary folder again and again, as a backup does."""
    while not stop.is_set():
        subprocess.run(["ls", "-R", tempfile.gettempdir()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_somebody_else_who_looks_through_the_temporary_folder_gets_no_method_accused(
    sandbox: Sandbox, problem: Problem
) -> None:
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(everywhere, stop)
        try:
            outcomes = [sandbox.run(SLEEPY, problem, LIMITS) for _ in range(2)]
        finally:
            stop.set()
    assert [outcome.status for outcome in outcomes] == [Status.OK] * 2, outcomes[0].message


def test_at_level_a_the_decoy_cannot_be_reached_from_outside(sandboxes: Mapping[str, Sandbox], problem: Problem) -> None:
    if "A" not in sandboxes:
        pytest.skip("sandbox level A (see `python -m evolve doctor`)")
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(sandboxes["A"].run, SLEEPY, problem, LIMITS)
        found = subprocess.run(["find", "/", "-xdev", "-path", "*/homes/*"], capture_output=True, text=True).stdout.split()
        assert not [path for path in found if re.search(r"/homes/[0-9a-f]{16}$", path) and "evolve-w2s" not in path]
        assert not Path(launch.DECOYS).exists()
        assert outcome.result().status is Status.OK


def test_one_accusation_by_chance_does_not_count(sandbox: Sandbox, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    planted, times = sandbox._canary.planted, []

    @contextlib.contextmanager
    def with_a_scanner() -> Iterator[Decoy]:
        with planted() as decoy:
            times.append(decoy)
            if len(times) == 1:  # a virus scanner that looks at this new file alone
                (sandbox._canary._place / decoy.home.name / KEY).read_bytes()
            yield decoy

    monkeypatch.setattr(sandbox._canary, "planted", with_a_scanner)
    outcome = run(sandbox, problem, "pass")
    assert (outcome.status, len(times)) == (Status.OK, 2), outcome.message


def test_a_thief_is_not_hidden_by_one_sweep(sandbox: Sandbox, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    planted, times = sandbox._canary.planted, []

    @contextlib.contextmanager
    def with_a_sweep() -> Iterator[Decoy]:
        with planted() as decoy:
            times.append(decoy)
            if len(times) == 1:
                for home in sandbox._canary._place.iterdir():
                    os.listdir(home)
            yield decoy

    monkeypatch.setattr(sandbox._canary, "planted", with_a_sweep)
    assert run(sandbox, problem, THEFTS["open"]).message == THEFT
    assert len(times) == 3
