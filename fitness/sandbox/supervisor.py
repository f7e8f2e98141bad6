"""Watches one child from outside: its two pipes under byte caps, its clock, and its end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fitness.nouns import Limits
from fitness.sandbox.inside.notes import BLOCK

EXIT = struct.Struct("<cq")  # as in inside/zygote.py: b"X", wait status
START = struct.Struct("<cd")  # as in inside/runner.py: b"R", the monotonic clock
NOTE = 2000  # as in inside/runner.py: bytes of a failure's sentence
SETUP_SECONDS = 60.0  # from the request to the method's first line; past it, the machine is at fault
GRACE = 5.0  # seconds that a killed child has to be gone
PATIENCE = 10.0  # times a method's seconds that are waited when no core is free for it
TICK = 0.05  # seconds between two checks of a running child: its threads, and the memory of one that computes on a GPU

Meter = Callable[[int], int]  # process id -> bytes it holds; 0 when it is gone. Raises OSError


@dataclass
class ChildRecord:
    """What was seen of one child.

    Attributes:
        result: bytes from the result pipe, at most one more than any honest answer has.
        output: bytes from stdout and stderr, capped.
        forked: whether the zygote made a child.
        started: whether its walls were up, so that the method's first line ran.
        exit: its wait status, or None when its end was not reported: the zygote is gone.
        stopped: why it was killed from here: "time", "threads", "output", "result", "setup", "memory", "unwatched",
            or "" when it was not.
        halted: whether its process was stopped, which it cannot do to itself.
        waited: for how many seconds no core was free for it.
        busy: whether it would have had to wait longer for a core than we do.
        heavy: the memory of which it held too much.
        pid: its process id, as this process sees it.
        crowded: whether it ran out of the GPU's memory because others held it.
        answered: whether a whole answer came and both pipes were closed behind it, so that its end was not awaited.
        seconds: wall clock from the method's first line to its answer, or to its end without one.
    """

    result: bytearray = field(default_factory=bytearray)
    output: bytearray = field(default_factory=bytearray)
    forked: bool = False
    started: bool = False
    exit: int | None = None
    stopped: str = ""
    halted: bool = False
    waited: float = 0.0
    busy: bool = False
    heavy: str = ""
    pid: int = 0
    crowded: bool = False
    answered: bool = False
    seconds: float = 0.0


def resident(pid: int) -> int:
    """Return the bytes of the machine's memory that a process holds, swap included; files that it maps are not its own."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
            rows = (line.split() for line in status)
            return sum(int(row[1]) << 10 for row in rows if row[0] in ("RssAnon:", "RssShmem:", "VmSwap:"))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _process(pidfd: int) -> int:
    """Return the process that a descriptor stands for, by the id it has here, or -1 when it has ended (proc_pid_fdinfo(5))."""
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as info:
        return next(int(line.split()[1]) for line in info if line.startswith("Pid:"))


def _state(pidfd: int) -> tuple[int, bool]:
    """Count the threads of a process, 0 when it has ended (until then its id is nobody else's); tell whether it is stopped."""
    try:
        with open(f"/proc/{_process(pidfd)}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return 0, False
    return (0, False) if _process(pidfd) == -1 else (int(fields[17]), fields[0] in b"Tt")


def _waited(pidfd: int) -> float:
    """Return for how many seconds a process of one thread could have run, and no core was free; 0 where that is not known."""
    try:
        with open(f"/proc/{_process(pidfd)}/schedstat", "rb") as stat:
            return int(stat.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


class Supervisor:
    """Collects from one child until it has answered and closed its pipes, or has ended; kills it when it breaks a limit.

    A child that has answered can add nothing: it is killed, and the kernel takes its memory apart while we go on (7 ms).
    """

    def __init__(
        self,
        result: int,
        output: int,
        report: socket.socket,
        expected: int,
        limits: Limits,
        meters: Mapping[str, Meter] | None = None,
    ) -> None:
        """Watch two pipes and the report socket; `expected` is the bytes of a good answer.

        `meters` weigh what no rlimit does, by the name of the memory: no child may hold more of it than limits.memory beyond
        what it holds when its method begins.
        """
        self._expected, self._meters, self._empty = expected, meters or {}, dict[str, int]()
        self._result, self._output, self._report, self._limits = result, output, report, limits
        self._cap = max(expected, 1 + BLOCK + NOTE)
        self._pidfd: int | None = None
        self._next_look, self._threaded = 0.0, False
        self._begun = time.monotonic()
        self._deadline = self._begun + SETUP_SECONDS
        self.seen = ChildRecord()

    def collect(self) -> ChildRecord:
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
                for descriptor, _ in poller.poll(min(max(left, 0), TICK) * 1000):
                    if descriptor == self._report.fileno():
                        reporting = self._hear()
                        more = reporting
                    else:
                        more = self._read(descriptor)
                        open_pipes -= set() if more else {descriptor}
                    if not more:
                        poller.unregister(descriptor)
                self._look()
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
            self.seen.pid = _process(self._pidfd) if self._meters else 0
            if self.seen.stopped:
                self._kill()
        elif message[:1] == b"R":
            self.seen.started = True
            _, self._begun = START.unpack(message)
            self._deadline = self._begun + self._limits.seconds
        elif len(message) == EXIT.size:
            _, self.seen.exit = EXIT.unpack(message)
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

    def _weigh(self) -> None:
        """Stop a child that holds too much more than when its method began, or that cannot be weighed."""
        try:
            for name, meter in self._meters.items():
                held = meter(self.seen.pid)
                if held - self._empty.setdefault(name, held) > self._limits.memory:
                    self.seen.heavy = self.seen.heavy or name
                    self._stop("memory")
        except OSError:
            self._stop("unwatched")

    def _look(self) -> None:
        """Stop a running child that has too many threads or holds too much; every TICK, and first when its method begins."""
        now = time.monotonic()
        running = self.seen.started and self.seen.exit is None and not self.seen.stopped
        if now >= self._next_look and running and self._pidfd is not None:
            self._next_look = now + TICK
            threads, halted = _state(self._pidfd)
            self._threaded |= threads > 1
            self.seen.halted |= halted
            if threads > self._limits.threads:
                self._stop("threads")
            self._weigh()

    def _late(self) -> bool:
        """Stop a child that is past its deadline; return False when it was stopped before and still is not gone."""
        if self.seen.stopped or self.seen.exit is not None:
            return False
        if not self.seen.started:
            self._stop("setup")
        elif (more := self._owed()) > TICK:
            self._deadline += more
        else:
            self._stop("time")
        return True

    def _owed(self) -> float:
        """Return how much longer a method may run because the machine was busy; at most PATIENCE times what it is allowed.

        One that has had several threads is owed nothing: it may have kept itself waiting.
        """
        if self._pidfd is None or self._threaded:
            return 0.0
        self.seen.waited = _waited(self._pidfd)
        end = self._begun + self._limits.seconds + self.seen.waited
        self.seen.busy = end > (last := self._begun + PATIENCE * self._limits.seconds)
        return min(end, last) - self._deadline

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
