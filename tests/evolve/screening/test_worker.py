"""The worker that parses: what ends it, and whose fault that is; it never imports the user's main script."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from evolve.errors import WorkerUnavailable
from evolve.screening import worker as module
from evolve.screening.examine import examined
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerDied, WorkerProcess

GOOD = "def method(problem):\n    return problem.weak[:, 1]\n"
DEEP = "x = " + "(" * 5_000 + ")" * 5_000 + "\n" + GOOD


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("raise ImportError('no libcst here')", r"could not start \(ImportError: no libcst here\)"),
        ("import os; os._exit(3)", "exited with status 3 while it started"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL while it started"),
        ("import os; os.kill(os.getpid(), 11)", "was ended by SIGSEGV while it started"),
        ("raise SystemExit('no')", "exited with status 1 while it started"),
    ],
)
def test_a_worker_that_dies_while_importing_is_never_blamed_on_the_source(
    broken: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libcst.py").write_text(broken)
    monkeypatch.syspath_prepend(str(tmp_path))
    with WorkerProcess() as worker, pytest.raises(WorkerUnavailable, match=said):
        Screen(worker).check(GOOD)


def test_a_worker_that_cannot_be_started_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with WorkerProcess() as worker, pytest.raises(WorkerUnavailable, match="cannot be started: No such file"):
        examined(worker, GOOD)


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_somebody_kills_is_replaced_and_the_source_is_read(number: int) -> None:
    with WorkerProcess() as worker:
        assert "reason" not in examined(worker, GOOD)
        first = worker.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)  # it has the request, and does not answer
        killer = threading.Timer(0.3, os.kill, (first, number))
        killer.start()
        if number == signal.SIGTERM:
            threading.Timer(0.4, os.kill, (first, signal.SIGCONT)).start()
        assert "reason" not in examined(worker, GOOD)
        assert worker.pid != first


def test_a_function_that_cannot_be_imported_is_our_fault(tmp_path: Path) -> None:
    with WorkerProcess() as worker, pytest.raises(WorkerUnavailable, match="exited with status 1"):
        worker.call("evolve.nowhere:nothing", 1.0)


def test_a_worker_that_does_not_answer_on_a_busy_machine_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with WorkerProcess() as worker:
        examined(worker, GOOD)
        assert worker.pid is not None
        monkeypatch.setattr(module, "PATIENCE", 0.05)
        monkeypatch.setattr(module, "ATTEMPTS", 1)
        os.kill(worker.pid, signal.SIGSTOP)
        with pytest.raises(WorkerUnavailable, match=r"did not answer for 0\.05 s"):
            examined(worker, GOOD)


@pytest.mark.thorough
def test_a_source_that_crashes_or_outlasts_the_parser_is_refused_and_the_next_one_read() -> None:
    with WorkerProcess() as worker:
        for source in (DEEP, "x = " + "-" * 30_000 + "1\n" + GOOD):
            assert examined(worker, source).get("reason")
        with pytest.raises(WorkerDied):
            worker.call("evolve.operators.llm.repair:repaired", 0.001, source=f"print(3)\n{GOOD}" * 300, others=[])
        assert Screen(worker).check(GOOD).method


SCRIPT = f"""
print("main runs")
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
with WorkerProcess() as worker:
    screened = Screen(worker).check({GOOD!r})
    print("read" if screened.method else screened.reason)
"""


@pytest.mark.thorough
@pytest.mark.parametrize("how", ["a file", "stdin", "-c", "exec"])
def test_a_script_without_a_main_guard_is_run_once_and_its_methods_are_read(how: str, root: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    rest = {"a file": [str(script)], "stdin": ["-"], "-c": ["-c", SCRIPT], "exec": ["-c", f"exec({SCRIPT!r})"]}[how]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, *rest], input=SCRIPT if how == "stdin" else "", capture_output=True, text=True, env=environment
    )
    assert (done.stdout, done.stderr) == ("main runs\nread\n", "")
