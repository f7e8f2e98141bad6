"""What others do to a method's process, and what the machine lacks, is never put on the method's account."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from small_problem import LIMITS

from fitness.contracts.contract import Problem
from fitness.contracts.probabilities import PROBABILITIES
from fitness.nouns import Outcome, Status
from fitness.sandbox.sandbox import Sandbox
from fitness.sandbox.supervisor import ChildRecord
from fitness.sandbox.verdict import verdict

pytestmark = pytest.mark.thorough

SLEEPS = """
import time, torch
def method(problem):
    held = bytearray({held})
    time.sleep({seconds})
    return torch.zeros(300)
"""
LOOPS = "def method(problem):\n    while True: pass"
COUNTS = "import torch\ndef method(problem):\n    for _ in range({times}): pass\n    return torch.zeros(300)"


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def running(sandbox: Sandbox) -> int:
    """Return the process of the one method that runs: the zygote's elder child, for the younger one waits."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        zygote = sandbox._zygote.process.pid
        while len(below := children(zygote)) == 1 and children(below[0]):
            zygote = below[0]
        if len(below) == 2:
            time.sleep(0.3)  # until its walls are up
            return min(below)
    raise AssertionError("no method runs")


def disturbed(sandbox: Sandbox, problem: Problem, *signals: int, held: int = 1, seconds: float = 1.5) -> Outcome:
    """Run a method that sleeps, and send signals to its process."""
    with ThreadPoolExecutor(1) as pool:
        source = SLEEPS.format(held=held, seconds=seconds)
        outcome: Future[Outcome] = pool.submit(sandbox.run, source, problem, replace(LIMITS, seconds=2.0))
        for number in signals:
            os.kill(running(sandbox), number)
        return outcome.result()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, 40])
def test_a_method_that_somebody_kills_is_lost(sandbox: Sandbox, problem: Problem, number: int) -> None:
    outcome = disturbed(sandbox, problem, number)
    assert outcome.status is Status.LOST, outcome.message


def test_a_large_method_that_the_system_kills_for_want_of_memory_is_lost(sandbox: Sandbox, problem: Problem) -> None:
    """The kernel's SIGKILL is this one; what it holds is within its limit, so the machine is short, not the method greedy."""
    outcome = disturbed(sandbox, problem, signal.SIGKILL, held=LIMITS.memory // 2)
    assert outcome.status is Status.LOST, outcome.message


def test_a_method_that_somebody_stops_is_lost(sandbox: Sandbox, problem: Problem) -> None:
    outcome = disturbed(sandbox, problem, signal.SIGSTOP)
    assert (outcome.status, outcome.message) == (Status.LOST, "somebody stopped the method's process")


def test_a_signal_that_a_method_can_bring_about_itself_is_its_own() -> None:
    for number in (signal.SIGSEGV, signal.SIGALRM, signal.SIGFPE, signal.SIGABRT):
        assert (
            verdict(ChildRecord(forked=True, started=True, exit=number), PROBABILITIES.answer, (3, 2), LIMITS).status
            is Status.CRASHED
        )


def burn(stop: threading.Event) -> None:
    code = f"import os, time\nos.sched_setaffinity(0, {set(os.sched_getaffinity(0))})\nwhile True: pass"
    burning = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(6 * len(os.sched_getaffinity(0)))]
    stop.wait()
    for process in burning:
        process.kill()
        process.wait()


def test_a_method_is_given_the_time_in_which_no_core_was_free(sandbox: Sandbox, problem: Problem) -> None:
    source = COUNTS.format(times=20_000_000)
    alone = sandbox.run(source, problem, LIMITS)
    limits = replace(LIMITS, seconds=1.6 * alone.seconds)
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(burn, stop)
        try:
            time.sleep(1)
            outcome, endless = sandbox.run(source, problem, limits), sandbox.run(LOOPS, problem, replace(LIMITS, seconds=0.3))
        finally:
            stop.set()
    assert outcome.status in (Status.OK, Status.LOST), outcome.message
    assert endless.status in (Status.TIMED_OUT, Status.LOST)


def test_waiting_that_a_method_makes_itself_gives_it_no_time(sandbox: Sandbox, problem: Problem) -> None:
    source = "import threading\ndef method(problem):\n    def loop():\n        while True: pass\n"
    source += "    for _ in range(9): threading.Thread(target=loop, daemon=True).start()\n    loop()"
    outcome = sandbox.run(source, problem, replace(LIMITS, seconds=0.5))
    assert outcome.status is Status.TIMED_OUT
    assert outcome.seconds < 1.5


def test_a_full_disk_or_no_memory_for_the_inputs_is_our_fault(
    sandbox: Sandbox, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(home: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sandbox._canary, "_make", full)
    outcome = sandbox.run(LOOPS, problem, LIMITS)
    assert outcome.status is Status.LOST
    assert "No space left" in outcome.message
