"""Starts a tracker's process, and hands lines over without ever waiting for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from evolve.text import finite, one_line
from evolve.trackers import Subject

_CHECKOUT = Path(__file__).resolve().parent.parent.parent
_STEP = 0.02  # seconds between checks of a process that is ending


class Process:
    """One tracker at work."""

    def __init__(self, name: str, subject: Subject) -> None:
        self.name = name
        self._waiting = bytearray()
        command = [sys.executable, "-P", "-m", "evolve.trackers", name]  # -P: a file in this folder is no package
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment(),
            start_new_session=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._pipe, self.pid = self._process.stdin.fileno(), self._process.pid
        for end in (self._process.stdin, self._process.stdout):
            os.set_blocking(end.fileno(), False)
        self.tell({"name": subject.name, "key": subject.key, "folder": str(subject.folder), "settings": dict(subject.settings)})

    def tell(self, message: dict[str, object]) -> None:
        """Hand a message over; what the process is not ready to take waits here for the next call."""
        self._waiting += json.dumps(finite(message), allow_nan=False).encode() + b"\n"
        self._push()

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def problem(self) -> str:
        """Return in a sentence why it ended before the run did."""
        assert self._process.stdout is not None
        said = self._process.stdout.read() or b""
        words = one_line(said.decode("utf-8", "replace"), 240)
        return f"the tracker {self.name} is left out: {words or f'its process ended with status {self._process.returncode}'}"

    def ended(self, seconds: float) -> bool:
        """Tell it that nothing more comes, and whether it ends within so many seconds."""
        assert self._process.stdin is not None
        until = time.monotonic() + seconds
        while self._waiting and not self.gone and time.monotonic() < until:
            self._push()
            time.sleep(_STEP if self._waiting else 0)
        if not self._waiting or self.gone:
            self._process.stdin.close()
        while not self.gone and time.monotonic() < until:
            time.sleep(_STEP)
        return self.gone

    def finish(self, seconds: float) -> str:
        """Let it write what it was told, and return a sentence when it fails, or does not end in time and is stopped."""
        if self.ended(seconds):
            return self.problem() if self._process.returncode else ""
        os.killpg(self.pid, signal.SIGKILL)  # with what it may have begun
        self._process.wait()
        return f"the tracker {self.name} did not end in time and was stopped: its last numbers may be missing"

    def _push(self) -> None:
        try:
            while self._waiting:
                del self._waiting[: os.write(self._pipe, self._waiting)]
        except BlockingIOError:
            pass  # the pipe is full
        except BrokenPipeError:
            self._waiting.clear()  # it is gone, and will be asked why


def _environment() -> dict[str, str]:
    """Return the environment without what opens model servers or the vault: trackers are given none of that."""
    kept = {name: value for name, value in os.environ.items() if not _is_ours(name)}
    paths = [str(_CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}


def _is_ours(name: str) -> bool:
    keys = name.endswith(("_API_KEY", "_AUTH_TOKEN", "_BASE_URL")) and not name.startswith(("WANDB_", "MLFLOW_", "TRACKIO_"))
    return keys or name == "EVOLVE_HOME"
