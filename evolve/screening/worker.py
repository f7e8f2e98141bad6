"""Calls functions of ours in a warm, limited subprocess: everything that parses a method (libcst crashes on nested input).

Only bytes of JSON cross the pipe. When the worker dies or takes too long it is replaced, and the source that did it is refused.
Its time is processor time, counted by the kernel: a busy machine is never a source's fault.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocess.connection import Connection

PACKAGE = "evolve."  # what the worker may be asked to call lies below it
WARM = ("libcst", "evolve.screening.canonical", "evolve.screening.rules")  # imported before the first call
PATIENCE = 120.0  # seconds of wall clock that a worker may take on a machine that is busy with something else
START = 60.0  # seconds a new worker has for its imports
MEMORY = 2 << 30  # bytes of address space
_MAIN = "import sys; from evolve.screening.worker import serve; serve(int(sys.argv[1]))"


class CallFailed(Exception):
    """The function raised an error; the message is that error as a sentence."""


class WorkerDied(Exception):
    """The worker crashed on a call, or was busy with it for too long."""


class WorkerProcess:
    """A handle on the worker; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._ready = False

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The worker's process id, None before it is started."""
        return None if self._process is None else self._process.pid

    def warm(self) -> None:
        """Start the worker without waiting for it, so that its imports overlap with other work."""
        with self._lock:
            if self._process is None:
                self._start()

    def call(self, function: str, seconds: float, **arguments: Any) -> dict[str, Any]:
        """Call `module:name`, a function below `evolve.`, with JSON arguments, for at most so many seconds of processor time.

        Raises CallFailed when the function raises, WorkerDied when it brings the worker down or takes too long.
        """
        _checked(function)
        request = {"function": function, "seconds": seconds, "arguments": arguments}
        answer = self._ask(json.dumps(request).encode())
        if answer is None:
            raise WorkerDied(function)
        found = json.loads(answer)
        if "failed" in found:
            raise CallFailed(found["failed"])
        return dict(found["result"])

    def close(self) -> None:
        """Stop the worker."""
        with self._lock:
            self._stop()

    def _ask(self, request: bytes) -> bytes | None:
        """Return the worker's answer, None when it died of the request or took too long."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            try:
                self._await_ready()
                assert self._pipe is not None
                self._pipe.send_bytes(request)
                if self._pipe.poll(PATIENCE):
                    answer: bytes = self._pipe.recv_bytes()
                    return answer
            except (EOFError, OSError):
                pass
            self._start()  # at once: its imports overlap with whatever comes before the next request
            return None

    def _start(self) -> None:
        import multiprocess

        self._stop()
        self._pipe, theirs = multiprocess.Pipe()
        with theirs:
            end = theirs.fileno()
            # a spawned multiprocess.Process would import the user's main script, and begin its run once more
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _MAIN, str(end)], stdin=subprocess.DEVNULL, pass_fds=[end],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
            )  # fmt: skip

    def _await_ready(self) -> None:
        """Wait for a new worker's imports. Raises RuntimeError when it does not start: that is our bug, not the source's."""
        if self._ready:
            return
        if self._pipe is None or not self._pipe.poll(START) or self._pipe.recv_bytes() != b"ready":
            self._stop()
            raise RuntimeError("the worker that parses methods did not start")
        self._ready = True

    def _stop(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)
        self._process, self._pipe, self._ready = None, None, False


def serve(end: int) -> None:
    """Answer calls until the pipe with this descriptor closes (the worker's main function)."""
    import gc
    import resource
    import signal
    import warnings

    from multiprocess.connection import Connection

    pipe = Connection(end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the trusted process's to handle
    warnings.simplefilter("ignore")  # compile() warns about invalid escapes in hostile files
    for module in WARM:
        import_module(module)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.freeze()  # what was imported stays: there is no need to look through it after every file
    pipe.send_bytes(b"ready")
    while True:
        try:
            request = json.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        function = _function(request["function"])
        signal.setitimer(signal.ITIMER_PROF, request["seconds"])  # SIGPROF ends the process, also inside libcst's native code
        try:
            answer = json.dumps({"result": function(**request["arguments"])}).encode()
        except Exception as error:  # whatever a stranger's file breaks in here is an answer, and the next file is read as ever
            answer = json.dumps({"failed": sentence(error)}).encode()
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send_bytes(answer)


def _checked(function: str) -> str:
    if not function.startswith(PACKAGE):
        raise ValueError(f"the worker calls functions of {PACKAGE}* only, not {function!r}")
    return function


def _function(dotted: str) -> Callable[..., dict[str, Any]]:
    module, _, name = _checked(dotted).partition(":")
    function: Callable[..., dict[str, Any]] = getattr(import_module(module), name)
    return function


def sentence(error: Exception) -> str:
    """Return what a parser's error says, in one line."""
    known = {RecursionError: "it is nested too deeply", MemoryError: "it takes too much memory"}
    return known.get(type(error)) or str(error).partition("\n")[0] or type(error).__name__
