"""Runs the searches of a study, several at once, each in a process of its own that works as `resume` does."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from archives.archive import Archive
from archives.sqlite.place import private
from evolve.errors import EvolveError
from evolve.study.plan import Contestant, Plan
from evolve.study.preparation import fork, is_finished
from fitness import tasks
from fitness.nouns import CONTAINED

LOOK = 2.0  # seconds between readings of the searches in progress
GRACE = 30.0  # seconds that searches get to end after a Ctrl-C


class SearchFailed(EvolveError):
    """A search of a study that ended with an error."""


def run(
    plan: Plan,
    contestants: Sequence[Contestant],
    at_once: int,
    ended: Callable[[Contestant, str], None],
    look: Callable[[], None] = lambda: None,
) -> None:
    """Do the searches that have not ended, so many at once.

    `ended` is called as each ends, with a sentence where something went wrong, else ""; `look` is called every few seconds;
    both in this thread. Raises SearchFailed, when all others have ended, for one that ended with an error.
    """
    failures: list[str] = []
    running = _Running()
    with ThreadPoolExecutor(at_once) as pool:
        futures = {pool.submit(running.search, plan, contestant): contestant for contestant in contestants}
        try:
            waiting = set(futures)
            while waiting:
                over, waiting = wait(waiting, LOOK, FIRST_COMPLETED)
                for future in over:
                    contestant, problem = futures[future], future.result()
                    if problem:
                        failures.append(f"{contestant.path.name}: {problem}")
                    ended(contestant, problem)
                look()
        except BaseException:
            running.stop()
            pool.shutdown(cancel_futures=True)
            raise
    if failures:
        raise SearchFailed("; ".join(failures) + "; the same command again goes on from here")


class _Running:
    """The processes of the searches that are going on."""

    def __init__(self) -> None:
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def search(self, plan: Plan, contestant: Contestant) -> str:
        """Do one search and return what went wrong, as a sentence; "" when nothing did."""
        try:
            return self._search(plan, contestant)
        except OSError as error:  # a full disk, a folder that was removed
            return f"{error.filename or contestant.path}: {error.strerror}"

    def _search(self, plan: Plan, contestant: Contestant) -> str:
        if not contestant.path.exists():
            fork(plan, contestant)
        # its standard error goes to a file: a pipe that nobody reads would fill
        with open(contestant.path.with_suffix(".log"), "wb", opener=private) as log:
            with self._lock:
                if self._stopping:
                    return "it was stopped"
                command = [*_program(), "resume", "--with-parent", "--db", str(contestant.path), *_said(plan)]
                process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
                self._processes.add(process)
            assert process.stdin
            with process.stdin:  # it ends with this process, however that ends
                code = process.wait()
        with self._lock:
            self._processes.discard(process)
        if code == 0 and is_finished(contestant.path):
            return ""
        lines = contestant.path.with_suffix(".log").read_text("utf-8", "replace").strip().splitlines()
        return lines[-1].removeprefix("evolve: ") if lines else f"it ended with exit code {code}"

    def stop(self) -> None:
        """End the searches: they stop cleanly, and can be gone on with."""
        with self._lock:
            self._stopping = True
            processes = list(self._processes)
        for process in processes:
            process.terminate()
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)


def _program() -> list[str]:
    """Return the command line of this program."""
    module = getattr(sys.modules["__main__"].__spec__, "name", "evolve")
    return [sys.executable, "-m", module.removesuffix(".__main__")]


def _said(plan: Plan) -> list[str]:
    """Return what `resume` takes from nobody but its user, who has said it to the study."""
    words = [word for spec in plan.config.model for word in ("--model", spec)]
    reference = tasks.load(plan.config.task).reference
    if reference:
        words += ["--task", reference]
    if plan.config.base_url:
        words += ["--base-url", plan.config.base_url]
    return [*words, "--trust-methods"] if _is_trusted(plan) else words


def _is_trusted(plan: Plan) -> bool:
    """Tell whether methods may run below sandbox level B: on request, and there where they are ours, as `start` has it."""
    if plan.config.trust_methods or plan.config.model:
        return plan.config.trust_methods
    with contextlib.closing(Archive.open(plan.beginning)) as archive:
        return archive.run().level not in CONTAINED
