"""Starts the warm process that forks a child for every trial, and hands its runs over: the trusted side of inside/zygote.py."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import tempfile
from typing import IO

from fitness.nouns import SandboxUnavailable
from fitness.sandbox import launch
from fitness.sandbox.verdict import printable

START_SECONDS = 120.0  # the imports take 4; a busy machine may need more
HAND_OVER_SECONDS = 30.0  # to give a run to a zygote that is busy forking
CLOSE_SECONDS = 5.0


class Zygote:
    """One running zygote: its process, its control socket, and the descriptors that it gave."""

    def __init__(self, command: list[str], settings: bytes) -> None:
        """Start it and wait until it is warm. Raises SandboxUnavailable with what it said when it does not get there."""
        self.control, inside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.given: list[int] = []
        with inside, tempfile.TemporaryFile() as complaints:
            self.process = subprocess.Popen(
                [*command, str(inside.fileno())],
                pass_fds=[inside.fileno()],
                env=launch.HASH_SEED,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                start_new_session=True,
            )
            inside.close()
            if not self._warm(settings):
                self.close()
                raise SandboxUnavailable(f"the sandbox's zygote did not start: {_last_words(complaints)}")
        self.control.settimeout(HAND_OVER_SECONDS)

    def _warm(self, settings: bytes) -> bool:
        try:
            self.control.sendall(settings)
            waiting = select.poll()
            waiting.register(self.control, select.POLLIN)
            if not waiting.poll(START_SECONDS * 1000):
                return False
            answer, self.given, _, _ = socket.recv_fds(self.control, 16, 1)
            return answer == b"ready"
        except OSError:
            return False

    def alive(self) -> bool:
        """Tell whether it can still be asked for children."""
        silent = select.poll()
        silent.register(self.control, select.POLLIN)  # it says nothing after "ready": anything here is its hanging up
        return self.process.poll() is None and not silent.poll(0)

    def close(self) -> None:
        """Hang up; it exits and takes its children with it."""
        self.control.close()
        try:
            self.process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _last_words(complaints: IO[bytes]) -> str:
    complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, complaints.tell() - 2000))
    return printable(complaints.read().decode(errors="replace")[-400:], 400) or "it said nothing"
