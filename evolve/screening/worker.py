"""Calls functions of ours in a warm, limited subprocess: everything that parses a method (libcst crashes on nested input).

Only bytes of JSON cross the pipe. When the worker crashes on a source or takes too long, it is replaced and the source refused.
Its time is processor time, counted by the kernel: a busy machine is never a source's fault, nor is a worker that cannot start,
or that somebody killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any

from evolve.errors import WorkerUnavailable

if TYPE_CHECKING:
    from multiprocess.connection import Connection

PACKAGE = "evolve."  # what the worker may be asked to call lies below it
WARM = ("libcst", "evolve.screening.canonical", "evolve.screening.rules")  # imported before the first call
PATIENCE = 120.0  # seconds of wall clock that a worker may take on a machine that is busy with something else
READY = b"ready"  # what a worker says when it can be called
START = 60.0  # seconds a new worker has for its imports
MEMORY = 2 << 30  # bytes of address space
# how a source ends the worker: it outlasts its time, or crashes the parser; all else is done to the worker by others
CRASHES = frozenset((signal.SIGPROF, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE))
ATTEMPTS = 2  # workers that a request is given to before it is said that none can answer
_MAIN = "import sys; from evolve.screening.worker import serve; serve(int(sys.argv[1]))"


class CallFailed(Exception):
    """The function raised an error; the message is that error as a sentence."""


class WorkerDied(Exception):
    """The worker crashed on a call, or was busy with it for too long."""


class _Ended(Exception):
    """The worker ended, or did not answer, for no fault of the source; the message says how."""


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

        Raises CallFailed when the function raises, WorkerDied when its arguments bring the worker down or take too long, and
        WorkerUnavailable when no worker starts, or something else ends every one.
        """
        _checked(function)
        request = {"function": function, "seconds": seconds, "arguments": arguments}
        found = json.loads(self._answer(json.dumps(request).encode()))
        if "failed" in found:
            raise CallFailed(found["failed"])
        return dict(found["result"])

    def close(self) -> None:
        """Stop the worker."""
        with self._lock:
            self._stop()

    def _answer(self, request: bytes) -> bytes:
        """Return a worker's answer. Raises WorkerDied, or WorkerUnavailable when another worker did no better."""
        with self._lock:
            for _ in range(ATTEMPTS):
                try:
                    return self._ask(request)
                except _Ended as error:
                    said = str(error)
                    self._stop()
        raise WorkerUnavailable(
            f"the process that parses methods {said}: this is no fault of a method; see `evolve doctor`, then resume"
        )

    def _ask(self, request: bytes) -> bytes:
        """Return the worker's answer. Raises WorkerDied when the request ended it, _Ended when something else did."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        assert self._pipe is not None
        try:
            self._await_ready()
            self._pipe.send_bytes(request)
            if not self._pipe.poll(PATIENCE):
                raise _Ended(f"did not answer for {PATIENCE:g} s")
            return bytes(self._pipe.recv_bytes())
        except (EOFError, OSError):
            signalled, how = self._end()
        if not self._ready or signalled not in CRASHES:
            raise _Ended(how)
        self._start()  # at once: its imports overlap with whatever comes before the next request
        raise WorkerDied

    def _end(self) -> tuple[int, str]:
        """Return the signal that ended the worker, 0 for none, and how it ended in words."""
        assert self._process is not None
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return 0, "closed its pipe"
        when = "" if self._ready else " while it started"
        return (
            (-code, f"was ended by {signal.Signals(-code).name}{when}") if code < 0 else (0, f"exited with status {code}{when}")
        )

    def _start(self) -> None:
        import multiprocess

        self._stop()
        self._pipe, theirs = multiprocess.Pipe()
        with theirs:
            end = theirs.fileno()
            # a spawned multiprocess.Process would import the user's main script, and begin its run once more
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", _MAIN, str(end)], stdin=subprocess.DEVNULL, pass_fds=[end],
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
                )  # fmt: skip
            except OSError as error:
                raise WorkerUnavailable(f"the process that parses methods cannot be started: {error.strerror}") from error

    def _await_ready(self) -> None:
        """Wait for a new worker's imports. Raises _Ended when they fail or take too long."""
        if self._ready:
            return
        assert self._pipe is not None
        if not self._pipe.poll(START):
            raise _Ended(f"did not start within {START:g} s")
        said = self._pipe.recv_bytes()
        if said != READY:
            raise _Ended(f"could not start ({said.decode()})")
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
    import warnings

    from multiprocess.connection import Connection

    pipe = Connection(end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the trusted process's to handle
    warnings.simplefilter("ignore")  # compile() warns about invalid escapes in hostile files
    try:
        for module in WARM:
            import_module(module)
    except Exception as error:
        pipe.send_bytes(f"{type(error).__name__}: {sentence(error)}".encode("utf-8", "replace"))
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.freeze()  # what was imported stays: there is no need to look through it after every file
    pipe.send_bytes(READY)
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
