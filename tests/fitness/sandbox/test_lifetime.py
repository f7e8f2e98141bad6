"""Zygotes that die, sandboxes that close, and what is left running afterwards: nothing."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from small_problem import LIMITS, make_problem

from fitness.nouns import SandboxUnavailable, Status
from fitness.sandbox import launch
from fitness.sandbox import sandbox as client
from fitness.sandbox.doctor import diagnose
from fitness.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[3]
HALF = "import torch\ndef method(problem): return torch.full((300,), 0.5)"
FOREVER = "def method(problem):\n    while True: pass"
DEADLINE = 20.0


def descendants(parent: int) -> set[int]:
    """Process ids below a process, read from /proc."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        children.setdefault(int(rest.split()[1]), []).append(int(stat.parent.name))
    found: set[int] = set()
    todo = [parent]
    while todo:
        below = children.get(todo.pop(), [])
        found |= set(below)
        todo += below
    return found


def wait_for_growth(parent: int, before: set[int]) -> set[int]:
    """Wait until a process has a descendant that it had not before; return them all."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        now = descendants(parent)
        if now - before:
            return now
        select.select([], [], [], 0.01)
    raise AssertionError("no child appeared")


def gone(pidfds: list[int]) -> bool:
    """Wait until every process has ended."""
    for pidfd in pidfds:
        ended, _, _ = select.select([pidfd], [], [], DEADLINE)
        os.close(pidfd)
        if not ended:
            return False
    return True


@pytest.fixture(autouse=True)
def _quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests start many zygotes: they import torch and numpy only."""
    monkeypatch.setattr(launch, "IMPORTS", ())


@pytest.fixture
def own(level: str) -> Iterator[Sandbox]:
    with Sandbox(level) as sandbox:
        yield sandbox


def test_a_killed_zygote_costs_the_trial_in_flight_and_no_other(own: Sandbox) -> None:
    problem = make_problem()
    before = descendants(own._zygote.process.pid) | {own._zygote.process.pid}
    with ThreadPoolExecutor(1) as pool:
        trial = pool.submit(own.run, FOREVER, problem, LIMITS)
        running = wait_for_growth(own._zygote.process.pid, before - {own._zygote.process.pid})
        pidfds = [os.pidfd_open(pid) for pid in running]
        for pid in before:
            with contextlib.suppress(ProcessLookupError):  # it may have died with the one killed before it
                os.kill(pid, signal.SIGKILL)
        outcome = trial.result(DEADLINE)
        assert (outcome.status, outcome.predictions) == (Status.LOST, None), outcome.message
    assert gone(pidfds)
    with ThreadPoolExecutor(3) as pool:
        again = list(pool.map(lambda _: own.run(HALF, problem, LIMITS), range(3)))
    assert [outcome.status for outcome in again] == [Status.OK] * 3


def waiting(sandbox: Sandbox) -> int:
    """Return the process id of the child that waits for the next run, once those that ran before are gone.

    Two looks must agree: the last child may be dying while the next one is not there yet.
    """
    until = time.monotonic() + DEADLINE
    before: list[int] = []
    while time.monotonic() < until:
        leaves = [pid for pid in descendants(sandbox._zygote.process.pid) if not descendants(pid)]
        if len(leaves) == 1 and leaves == before:
            return leaves[0]
        before = leaves
        select.select([], [], [], 0.05)
    raise AssertionError("not one child waits")


def test_a_child_that_dies_while_it_waits_costs_one_run(sandbox: Sandbox) -> None:
    child = waiting(sandbox)
    pidfd = os.pidfd_open(child)
    os.kill(child, signal.SIGKILL)
    assert gone([pidfd])
    assert [sandbox.run(HALF, make_problem(), LIMITS).status for _ in range(2)] == [Status.LOST, Status.OK]


FORGED = """
import os
def method(problem):
    for descriptor in range(256):
        try:
            os.write(descriptor, b"P" + bytes(1024 + 300 * 8))
        except OSError:
            pass
    os.closerange(0, 256)
    while True: pass
"""


def test_a_child_that_answered_and_stays_is_killed(sandbox: Sandbox) -> None:
    pidfd = os.pidfd_open(waiting(sandbox))
    assert sandbox.run(FORGED, make_problem(), LIMITS).status is Status.OK
    assert gone([pidfd])


def test_many_runs_in_a_row_leave_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    """A thousand, with memory too: tests/bench/sandbox.py."""

    def parent_of_the_waiting_child() -> int:
        while True:
            with contextlib.suppress(FileNotFoundError):  # it was the child of the last run, and is gone
                return int(Path(f"/proc/{waiting(sandbox)}/stat").read_text().rpartition(")")[2].split()[1])

    def held() -> tuple[int, int, int, int]:
        zygote = parent_of_the_waiting_child()
        open_here, open_there = (len(os.listdir(f"/proc/{pid}/fd")) for pid in (os.getpid(), zygote))
        return len(descendants(os.getpid())), open_here, open_there, sum(1 for _ in sandbox._canary._place.rglob("*"))

    assert sandbox.run(HALF, make_problem(), LIMITS).status is Status.OK
    before = held()
    for source in [HALF, "raise ValueError", FORGED] * 10:
        sandbox.run(source, make_problem(), LIMITS)
    after, end = held(), time.monotonic() + DEADLINE  # a child that has answered is killed, and taken apart while we go on
    while any(now > then for now, then in zip(after, before)) and time.monotonic() < end:
        select.select([], [], [], 0.05)
        after = held()
    assert all(now <= then for now, then in zip(after, before)), (before, after)


def test_a_closed_sandbox_leaves_nothing_running_and_loses_what_was_in_flight(level: str) -> None:
    sandbox = Sandbox(level)
    warm = descendants(os.getpid())
    with ThreadPoolExecutor(1) as pool:
        trial = pool.submit(sandbox.run, FOREVER, make_problem(), LIMITS)
        running = wait_for_growth(sandbox._zygote.process.pid, warm)
        pidfds = [os.pidfd_open(pid) for pid in running | {sandbox._zygote.process.pid}]
        sandbox.close()
        assert trial.result(DEADLINE).status is Status.LOST
    assert gone(pidfds)
    assert sandbox.run(HALF, make_problem(), LIMITS).status is Status.LOST
    sandbox.close()


def test_it_may_be_started_by_a_thread_that_ends(level: str) -> None:
    started: list[Sandbox] = []
    thread = threading.Thread(target=lambda: started.append(Sandbox(level)))
    thread.start()
    thread.join()
    with started[0] as sandbox:
        assert sandbox.run(HALF, make_problem(), LIMITS).status is Status.OK


CLIENT = """
import sys, threading
sys.path[:0] = sys.argv[2:]
from small_problem import LIMITS, make_problem
from fitness.sandbox import launch
launch.IMPORTS = ()
from fitness.sandbox.sandbox import Sandbox
sandbox = Sandbox(sys.argv[1])
print("warm", flush=True)
sys.stdin.readline()
source = "def method(problem):\\n    while True: pass"
for _ in range(2):
    threading.Thread(target=sandbox.run, args=(source, make_problem(), LIMITS)).start()
"""


@pytest.fixture
def adopted() -> Iterator[None]:
    """Processes whose parent dies become children of this one, whatever they did to leave their family."""
    prctl, subreaper = ctypes.CDLL(None).prctl, 36
    prctl(subreaper, 1, 0, 0, 0)
    yield
    prctl(subreaper, 0, 0, 0, 0)


def alive(pids: set[int]) -> set[int]:
    """Return those that have not ended; bury those that have and are ours."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return pids & descendants(os.getpid())


@pytest.mark.parametrize("time_after_time", [0, *(pytest.param(i, marks=pytest.mark.slow) for i in range(1, 10))])
def test_nothing_survives_a_kill_of_the_trusted_process(
    level: str, time_after_time: int, adopted: None, tmp_path: Path
) -> None:
    """Ten times a level: no process of its is alive two seconds after a kill -9 in the middle of two runs."""
    command = [sys.executable, "-c", CLIENT, level, str(ROOT), str(Path(__file__).parent)]
    own = {**os.environ, "TMPDIR": str(tmp_path)}  # its canary is left behind
    others = descendants(os.getpid())
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=own) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stdout.readline() == b"warm\n"
        before = descendants(client.pid)
        client.stdin.write(b"go\n")
        client.stdin.flush()
        pidfds = [os.pidfd_open(pid) for pid in wait_for_growth(client.pid, before)]
        select.select([], [], [], 0.02 * time_after_time)
        client.kill()
    end = time.monotonic() + 2
    while (left := alive(descendants(os.getpid()) - others)) and time.monotonic() < end:
        select.select([], [], [], 0.01)
    assert not left
    assert gone(pidfds)


def test_a_sandbox_that_cannot_start_says_so(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "IMPORTS", ("no_such_module",))
    monkeypatch.setattr(client, "START_ATTEMPTS", 2)
    with pytest.raises(SandboxUnavailable, match=r"did not start.*no_such_module"):
        Sandbox(level)


def test_a_wall_that_does_not_go_up_is_our_fault_and_the_method_never_starts(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    diagnosis = diagnose()
    monkeypatch.setattr(client, "diagnose", lambda: diagnosis)
    monkeypatch.setattr(launch, "seccomp_program", lambda gpu: b"not a filter, but some instructions of eight bytes long")
    with Sandbox(level) as sandbox:
        outcome = sandbox.run("raise ValueError('it ran')", make_problem(), LIMITS)
    assert outcome.status is Status.LOST
    assert "seccomp: " in outcome.message
    assert "it ran" not in outcome.message


def test_an_unknown_level_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="level is 'D', expected one of A, B, C, none or None"):
        Sandbox("D")


def test_no_process_of_the_same_user_may_look_into_the_trusted_one(sandbox: Sandbox) -> None:
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0  # PR_GET_DUMPABLE
