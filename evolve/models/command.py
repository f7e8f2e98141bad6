"""Runs a program as the model, such as a coding agent: it reads the prompt on its standard input and answers on its output."""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from archives.nouns import Usage
from evolve.errors import ModelError, UsageError
from evolve.models import isolation
from evolve.models.answers import LONGEST, kept
from evolve.nouns import Reply
from evolve.text import LOOKS_LIKE_A_KEY, environment_secrets, hide, quote

if TYPE_CHECKING:
    from evolve.models import Settings

CHUNK = 1 << 16
MOST = 4 * LONGEST  # bytes of output that are read: four to a character at most
MOST_COMPLAINT = 4096  # bytes at the end of what it wrote to its standard error
LINGER = 0.5  # seconds that output may still come after the program has ended
GLANCE = 0.5  # seconds between checks whether the run was stopped
LEAST_KEY = 20  # characters of what looks like a key in a command; shorter words are words


class CommandModel:
    """A program that answers. Safe to use from several threads: each call is a process of its own."""

    def __init__(self, name: str, base_url: str | None, rng: random.Random, settings: Settings) -> None:
        """Find the program. Raises UsageError when there is none, or the walls would hide what it needs."""
        self.name = f"command:{name}"
        self._secrets = environment_secrets()
        self._shown = quote(self.name, self._secrets, 80)
        held = any(secret in name for secret in self._secrets)
        if held or any(len(found) >= LEAST_KEY for found in LOOKS_LIKE_A_KEY.findall(name)):
            raise UsageError("a key in a command would be kept in the run and its reports: set an environment variable instead")
        self._settings = settings
        self._command = _command(name)
        self._walled = isolation.works()
        if self._walled:
            isolation.wrapped(self._command, Path("/"), isolation.secret_places(settings.hidden))

    @classmethod
    def found_keys(cls) -> list[str]:
        """Return nothing: a program's keys are its own affair."""
        return []

    def ask(self, system: str, prompt: str) -> Reply:
        """Run the program once.

        Raises ModelError when it fails or takes too long, and UnusableAnswer when it says nothing or too much.
        """
        began = self._settings.clock.now()
        with tempfile.TemporaryDirectory(prefix="evolve-command-", ignore_cleanup_errors=True) as folder:
            run = self._run(f"{system}\n\n{prompt}".encode("utf-8", "replace"), Path(folder))
        usage = Usage(self.name, 1, seconds=self._settings.clock.now() - began)
        text = hide(run.output.decode("utf-8", "replace"), self._secrets)
        if run.ended == "stopped":
            raise ModelError(f"stopped while waiting for {self._shown}")
        if run.ended == "late":
            raise ModelError(f"{self._shown} did not answer within {self._settings.seconds:g} s: it was stopped")
        if run.ended == "":
            self._check(run)
        return kept(self._shown, text, usage)

    def worst_case(self, system: str, prompt: str) -> Usage:
        """Return what is known of its cost: a call. What the program spends itself is not known."""
        return Usage(self.name, 1)

    def _run(self, said: bytes, folder: Path) -> _Run:
        command = self._command
        if self._walled:
            command = isolation.wrapped(command, folder, isolation.secret_places(self._settings.hidden))
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder, start_new_session=True)
        except OSError as error:
            raise ModelError(f"{self._shown} cannot be started: {error.strerror}") from error
        stopped = self._settings.clock.sleep
        run = _Run(process, said, time.monotonic() + self._settings.seconds, lambda: bool(stopped(0.0)))
        try:
            run.talk()
        finally:
            run.close()
        return run

    def _check(self, run: _Run) -> None:
        code = run.process.returncode
        if code:
            lines = run.complaint.decode("utf-8", "replace").strip().splitlines()
            last = quote(lines[-1] if lines else "it said nothing on its standard error", self._secrets)
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise ModelError(f"{self._shown} {how}: {last}")


@dataclass
class _Run:
    """A process that is being asked.

    Attributes:
        stopped: tells whether nobody waits for it any more.
        ended: "" when it ended by itself, "late" when its time was up, "long" when it said too much, "stopped".
    """

    process: subprocess.Popen[bytes]
    said: bytes
    deadline: float
    stopped: Callable[[], bool]
    output: bytearray = field(default_factory=bytearray)
    complaint: bytearray = field(default_factory=bytearray)
    ended: str = ""

    def talk(self) -> None:
        """Write what is said and read what comes, until both outputs end, the time is up, or it is too much."""
        process = self.process
        assert process.stdin
        assert process.stdout
        assert process.stderr
        exited = os.pidfd_open(process.pid)
        try:
            with selectors.DefaultSelector() as selector:
                os.set_blocking(process.stdin.fileno(), False)
                selector.register(process.stdin, selectors.EVENT_WRITE)
                selector.register(process.stdout, selectors.EVENT_READ)
                selector.register(process.stderr, selectors.EVENT_READ)
                selector.register(exited, selectors.EVENT_READ)
                self._loop(selector, exited)
        finally:
            os.close(exited)

    def _loop(self, selector: selectors.BaseSelector, exited: int) -> None:
        until = self.deadline
        outputs = [self.process.stdout, self.process.stderr]
        while any(outputs) or exited in selector.get_map():
            left = until - time.monotonic()
            ready = selector.select(max(0.0, min(left, GLANCE)))
            if left <= 0 and not ready:
                self.ended = "late" if exited in selector.get_map() else ""
                return
            if not ready and self.stopped():
                self.ended = "stopped"
                return
            for key, _ in ready:
                if key.fileobj == exited:
                    selector.unregister(exited)
                    until = min(self.deadline, time.monotonic() + LINGER)  # a child of its own may hold the outputs open
                elif key.fileobj is self.process.stdin:
                    self._write(selector, self.process.stdin)
                elif not self._take(key.fileobj):
                    selector.unregister(key.fileobj)
                    outputs.remove(key.fileobj)  # type: ignore[arg-type]  # it is one of the two
            if len(self.output) > MOST:
                self.ended = "long"
                return

    def _write(self, selector: selectors.BaseSelector, stdin: IO[bytes]) -> None:
        try:
            self.said = self.said[os.write(stdin.fileno(), self.said[:CHUNK]) :]
        except BrokenPipeError:  # it does not want to read on
            self.said = b""
        if not self.said:
            selector.unregister(stdin)
            stdin.close()

    def _take(self, source: object) -> bool:
        stdout = source is self.process.stdout
        pipe = self.process.stdout if stdout else self.process.stderr
        assert pipe
        chunk = os.read(pipe.fileno(), CHUNK)
        if stdout:
            self.output += chunk
        else:
            self.complaint = (self.complaint + chunk)[-MOST_COMPLAINT:]
        return bool(chunk)

    def close(self) -> None:
        """End the program and all that it started in its group, and close the pipes."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()


def _command(text: str) -> list[str]:
    """Return the words of a command, with the program's full path, and that of files of this folder: it runs in another one."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"cannot read the command {text!r}: {error}") from error
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise UsageError(f"there is no program {words[0] if words else text!r}: give its path, or install it")
    return [os.path.abspath(program), *(os.path.abspath(word) if os.path.isfile(word) else word for word in words[1:])]
