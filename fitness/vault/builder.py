"""Starts the builder process for the trusted side, waits for an instance, watches it, stops it. No torch here."""

from __future__ import annotations

import base64
import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from fitness import registry
from fitness.nouns import VaultError
from fitness.vault import storage

if TYPE_CHECKING:
    from fitness.tasks import Task
    from fitness.vault.instance import Instance, InstanceName
    from fitness.vault.vault import Vault

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class BuildProgress:
    """How far the builder is: instances there, of instances wanted, and whether it is at work."""

    done: int
    total: int
    running: bool


class Builder:
    """Builds instances in the background, in the order they are wanted, one process for as many as are wanted at once.

    The process ends by itself when its work is done or when this one is gone, and does not see the terminal's Ctrl-C.
    """

    def __init__(self, vault: Vault, task: Task) -> None:
        self._vault, self._task = vault, task
        self._changed = threading.Condition()
        self._wanted: list[InstanceName] = []  # every instance ever asked for, in order
        self._queue: list[InstanceName] = []  # not yet handed to a process
        self._error = ""
        self._stopped = False
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Return the builder; leaving the block stops it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the process."""
        self.stop()

    def start(self, wanted: Sequence[InstanceName]) -> None:
        """Begin to build what is missing of `wanted`, after what is already queued; returns at once."""
        with self._changed:
            if self._stopped:
                raise RuntimeError("this builder was stopped")
            new = [name for name in dict.fromkeys(wanted) if name not in self._wanted]
            self._wanted += new
            self._queue += [name for name in new if not self._done(name)]
            if self._queue and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="builder", daemon=True)
                self._thread.start()

    def wait_for(self, name: InstanceName, timeout: float | None = None) -> None:
        """Return when an instance is there; raises VaultError when it cannot be, TimeoutError after `timeout` seconds."""
        with self._changed:
            settled = self._changed.wait_for(lambda: self._done(name) or self._error or self._thread is None, timeout)
            if self._done(name):
                return
            if not settled:
                raise TimeoutError(f"instance {name} was not built within {timeout} s")
            raise VaultError(self._error or f"Instance {name} is not being built.")

    def mend(self, name: InstanceName) -> None:
        """Build an instance again whose file is damaged, and return when it is there; the file stays until then.

        Raises VaultError. Who looks for the file in the meantime, in this process or in another, never finds it missing.
        """
        if error := self._run([name]):
            raise VaultError(error)

    def progress(self) -> BuildProgress:
        """Return how many of the wanted instances are there; raises VaultError once the builder has failed."""
        with self._changed:
            if self._error:
                raise VaultError(self._error)
            return BuildProgress(sum(map(self._done, self._wanted)), len(self._wanted), self._thread is not None)

    def stop(self) -> None:
        """End the process, if there is one, and wait until it is gone; half-written files go with it."""
        with self._changed:
            self._stopped = True
            self._queue.clear()
            process, thread = self._process, self._thread
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        if thread is not None:
            thread.join()

    def _done(self, name: InstanceName) -> bool:
        return self._vault.ready(self._task, name.domain, name.split, name.index)

    def _work(self) -> None:
        while True:
            with self._changed:
                batch, self._queue = self._queue, []
                if not batch or self._error:
                    self._thread = self._process = None
                    self._changed.notify_all()
                    return
            try:
                error = self._run(batch)
            except (OSError, ValueError) as problem:
                error = f"The instance builder could not start or be reached: {problem}."
            with self._changed:
                self._error = "" if self._stopped else error

    def _run(self, batch: Sequence[InstanceName]) -> str:
        """Run one process over a batch; return what went wrong as a sentence, or nothing."""
        reason = edited(self._task)
        if reason:
            return reason
        with tempfile.TemporaryFile("w+") as complaints:
            with self._changed:
                if self._stopped:
                    return ""
                self._process = process = _spawn(complaints.fileno(), self._task)
            assert process.stdin is not None
            assert process.stdout is not None
            with process:
                process.stdin.write(self._order(batch))
                process.stdin.flush()
                for line in process.stdout:
                    reason = json.loads(line).get("error", "")
                    with self._changed:
                        self._changed.notify_all()
            if process.returncode == 0:
                return ""
            complaints.seek(0)
            last = (complaints.read().strip().splitlines() or [""])[-1]
        ended = f"signal {-code}" if (code := process.returncode) < 0 else f"its process ended with status {code}"
        reason = reason or ": ".join(filter(None, [ended, last]))
        return f"The instances of task {self._task.name} could not be built: {reason}. Vault: {self._vault.folder}."

    def _order(self, batch: Sequence[InstanceName]) -> str:
        vault, task = self._vault, self._task
        requests = []
        for name in batch:
            path = vault.path(task, name)
            storage.make_folder(path.parent)
            entry = {"identity": vault.identity(task, name), "domain": name.domain, "path": str(path)}
            requests.append({**entry, "secret": vault.secret(task, name).key.hex()})
        contract = base64.b64encode(pickle.dumps(task.contract)).decode()
        work = {"source": task.source, "options": dict(task.options), "margin": task.margin, "contract": contract}
        work["requests"] = requests
        return json.dumps(work) + "\n"


def edited(task: Task) -> str:
    """Return a sentence where a task's own file is another than the one that this process knows; "" where it is the same."""
    if not task.reference or task.name.endswith(now := registry.digest(file := registry.file_of(task.reference))):
        return ""
    was = task.name.rpartition("-")[2]
    return f"{file} was edited since the run began (its digest was {was} and is {now}): put it back, or begin a new run."


def build(
    vault: Vault, task: Task, wanted: Sequence[InstanceName], on_done: Callable[[InstanceName], None] | None = None
) -> None:
    """Build the instances that are missing, in order, in a process that exits. Raises VaultError."""
    with Builder(vault, task) as builder:
        builder.start(wanted)
        for name in wanted:
            builder.wait_for(name)
            if on_done is not None:
                on_done(name)


def load(vault: Vault, task: Task, name: InstanceName, say: Callable[[str], None] | None = None) -> Instance:
    """Load an instance; one whose file is damaged is built again first, and `say` is told (default: standard error).

    Raises VaultError when it was never built, or is damaged again.
    """
    try:
        return vault.load(task, name)
    except storage.Damaged:
        (say or _complain)(f"the stored instance {name} was damaged: it is built again")
    with Builder(vault, task) as builder:
        builder.mend(name)
    try:
        return vault.load(task, name)
    except storage.Damaged as error:
        raise VaultError(f"Instance {name} was built again and is damaged again ({error}); check the disk.") from error


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _spawn(stderr: int, task: Task) -> subprocess.Popen[str]:
    """Start the process; a task that is named by its module is imported from where it was found here."""
    where = {} if ".py:" in task.source else {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "fitness.vault.build"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        cwd=ROOT,
        env={**os.environ, **threads, **where},
        start_new_session=True,
    )
