"""Watching one child from outside: its two pipes under byte caps, its clock, and its end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import time
from dataclasses import dataclass, field

from fitness.nouns import Limits

EXIT = struct.Struct("<cqq")  # as in zygote.py: b"X", wait status, peak resident bytes
START = struct.Struct("<cd")  # as in runner.py: b"R", the monotonic clock
NOTE = 2000  # as in runner.py: bytes of a failure's sentence
SETUP_SECONDS = 60.0  # from the request to the method's first line; past it, the machine is at fault
GRACE = 5.0  # seconds that a killed child has to be gone


@dataclass
class Collected:
    """What was seen of one child.

    Attributes:
        result: bytes from the result pipe, at most one more than any honest answer has.
        output: bytes from stdout and stderr, capped.
        forked: whether the zygote made a child.
        started: whether its walls were up, so that the method's first line ran.
        exit: its wait status, or None when its end was not reported: the zygote is gone.
        peak: its peak resident memory in bytes.
        stopped: why it was killed from here: "time", "output", "result", "setup", or "" when it was not.
        thief: whether it opened its decoy of the vault.
        answered: whether a whole answer came and both pipes were closed behind it, so that its end was not awaited.
        seconds: wall clock from the method's first line to its answer, or to its end without one.
    """

    result: bytearray = field(default_factory=bytearray)
    output: bytearray = field(default_factory=bytearray)
    forked: bool = False
    started: bool = False
    exit: int | None = None
    peak: int = 0
    stopped: str = ""
    thief: bool = False
    answered: bool = False
    seconds: float = 0.0


class Watch:
    """Collects from one child until it has answered and closed its pipes, or has ended; kills it when it breaks a limit.

    A child that has answered can add nothing: it is killed, and the kernel takes its memory apart while we go on (7 ms).
    """

    def __init__(self, result: int, output: int, report: socket.socket, expected: int, limits: Limits) -> None:
        """Watch two pipes and the report socket; `expected` is the bytes of a good answer."""
        self._expected = expected
        self._result, self._output, self._report, self._limits = result, output, report, limits
        self._cap = max(expected, 1 + NOTE)
        self._pidfd: int | None = None
        self._begun = time.monotonic()
        self._deadline = self._begun + SETUP_SECONDS
        self.seen = Collected()

    def collect(self) -> Collected:
        """Return what was seen once there is no more to wait for."""
        open_pipes = {self._result, self._output}
        poller = select.poll()
        for descriptor in (*open_pipes, self._report.fileno()):
            poller.register(descriptor, select.POLLIN)
        reporting = True
        try:
            while open_pipes or (not self._answered() and reporting):
                left = self._deadline - time.monotonic()
                if left <= 0 and not self._late():
                    break
                for descriptor, _ in poller.poll(max(left, 0) * 1000):
                    if descriptor == self._report.fileno():
                        reporting = self._hear()
                        more = reporting
                    else:
                        more = self._read(descriptor)
                        open_pipes -= set() if more else {descriptor}
                    if not more:
                        poller.unregister(descriptor)
        finally:
            if self._pidfd is not None:
                self._kill()
                os.close(self._pidfd)
        return self.seen

    def _answered(self) -> bool:
        """Tell whether what came before the pipes were closed is all that a good child sends."""
        whole = self.seen.result[:1] == b"P" and len(self.seen.result) == self._expected
        if whole and self.seen.started and not self.seen.stopped:
            self.seen.answered = True
            self.seen.seconds = time.monotonic() - self._begun
        return self.seen.answered

    def _hear(self) -> bool:
        """Take one report; return False when there will be no more."""
        try:
            message, descriptors, _, _ = socket.recv_fds(self._report, 64, 1)
        except OSError:
            message, descriptors = b"", []
        if message[:1] == b"F":
            self.seen.forked, self._pidfd = True, descriptors[0]
            if self.seen.stopped:
                self._kill()
        elif message[:1] == b"R":
            self.seen.started = True
            _, self._begun = START.unpack(message)
            self._deadline = self._begun + self._limits.seconds
        elif len(message) == EXIT.size:
            _, self.seen.exit, self.seen.peak = EXIT.unpack(message)
            self.seen.seconds = time.monotonic() - self._begun
            self._deadline = time.monotonic() + GRACE
        if message[:1] in (b"F", b"R"):
            return True
        self._deadline = min(self._deadline, time.monotonic() + GRACE)
        return False

    def _read(self, pipe: int) -> bool:
        """Take what a pipe holds, up to its cap; return False at its end."""
        data = os.read(pipe, 1 << 16)
        kept, cap, reason = (
            (self.seen.result, self._cap, "result")
            if pipe == self._result
            else (self.seen.output, self._limits.output, "output")
        )
        kept += data[: cap + 1 - len(kept)]
        if len(kept) > cap:
            self._stop(reason)
        return bool(data)

    def _late(self) -> bool:
        """Stop a child that is past its deadline; return False when it was stopped before and still is not gone."""
        if self.seen.stopped or self.seen.exit is not None:
            return False
        self._stop("time" if self.seen.started else "setup")
        return True

    def _stop(self, reason: str) -> None:
        if not self.seen.stopped:
            self.seen.stopped = reason
            self.seen.seconds = time.monotonic() - self._begun
            self._deadline = time.monotonic() + GRACE
            self._kill()

    def _kill(self) -> None:
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
