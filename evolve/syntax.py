"""The syntax worker: a warm, limited subprocess for everything that parses a method (libcst crashes on nested input).

Only bytes of JSON cross the pipe. When the worker dies or takes too long it is replaced, and the source that did it is refused.
Its time is counted in processor time, by the kernel: a busy machine is never a source's fault.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any

from evolve.nouns import Tuned
from evolve.operators.offline import Edit

if TYPE_CHECKING:
    from multiprocess.connection import Connection

SECONDS = {
    "examine": 0.7,
    "edit": 5.0,
    "keep": 2.0,
}  # of processor time; the kernel ends a worker that needs more for one request
PATIENCE = 120.0  # seconds of wall clock that a worker may take on a machine that is busy with something else
START = 60.0  # seconds a new worker has for its imports
MEMORY = 2 << 30  # bytes of address space


class Syntax:
    """A handle on the worker; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: Any = None
        self._pipe: Connection | None = None
        self._ready = False

    def __enter__(self) -> Syntax:
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

    def examine(self, source: str) -> dict[str, Any]:
        """Parse a source: {"reason": sentence} when it breaks a rule, else the fields of canonical.Canonical."""
        answer = self._request({"do": "examine", "source": source})
        return answer or {
            "reason": "the parser crashed on it, or was busy with it for too long: nest brackets and operators less deeply"
        }

    def apply(
        self, operator: str, sources: list[str], focus: tuple[str, ...], seed: int, family: tuple[Tuned, ...] = ()
    ) -> Edit:
        """Let an offline operator edit sources[0], with the others as donors and what is known of its constants."""
        request = {"do": "edit", "operator": operator, "sources": sources, "focus": focus, "seed": seed}
        answer = self._request({**request, "family": [asdict(member) for member in family]})
        return (
            Edit(**answer)
            if answer
            else Edit(None, "", f"the operator {operator} crashed on these methods, or was busy with them for too long")
        )

    def keep(self, source: str, others: list[str]) -> str:
        """Mend what can be mended in a model's file without a change of meaning; `others` are the methods it was shown."""
        answer = self._request({"do": "keep", "source": source, "others": others})
        return str(answer["source"]) if answer else source

    def close(self) -> None:
        """Stop the worker."""
        with self._lock:
            self._stop()

    def _request(self, request: dict[str, Any]) -> dict[str, Any] | None:
        answer = self._ask(json.dumps(request).encode())
        found: dict[str, Any] | None = json.loads(answer) if answer else None
        return found

    def _ask(self, request: bytes) -> bytes | None:
        """Return the worker's answer, None when it died of the request or took too long."""
        with self._lock:
            if self._process is None or not self._process.is_alive():
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
        context = multiprocess.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def _await_ready(self) -> None:
        """Wait for a new worker's imports. Raises RuntimeError when it does not start: that is our bug, not the source's."""
        if self._ready:
            return
        if self._pipe is None or not self._pipe.poll(START) or self._pipe.recv_bytes() != b"ready":
            self._stop()
            raise RuntimeError("the syntax worker did not start")
        self._ready = True

    def _stop(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None and self._process.pid is not None:
            self._process.kill()
            self._process.join(5)
        self._process, self._pipe, self._ready = None, None, False


def serve(pipe: Connection) -> None:
    """Answer requests until the pipe closes (the worker's main function)."""
    import gc
    import resource
    import signal
    import warnings

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the trusted process's to handle
    warnings.simplefilter("ignore")  # compile() warns about invalid escapes in hostile files
    import libcst  # noqa: F401  (the slow imports happen before ready)

    import evolve.canonical
    import evolve.operators.offline
    import evolve.rules  # noqa: F401

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.freeze()  # what was imported stays: there is no need to look through it after every file
    pipe.send_bytes(b"ready")
    while True:
        try:
            request = json.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        signal.setitimer(
            signal.ITIMER_PROF, SECONDS[request["do"]]
        )  # SIGPROF ends the process, also inside libcst's native code
        try:
            answer = json.dumps(_answer(request)).encode()
        except Exception as error:  # whatever a stranger's file breaks in here is an answer, and the next file is read as ever
            answer = json.dumps(_failed(request, _sentence(error))).encode()
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send_bytes(answer)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "edit":
        from evolve.operators.offline import edit

        family = tuple(Tuned(tuple(member["constants"]), member["fitness"]) for member in request["family"])
        return asdict(edit(request["operator"], request["sources"], tuple(request["focus"]), request["seed"], family))
    if request["do"] == "keep":
        from evolve.operators.mend import mended

        return {"source": mended(request["source"], request["others"])}
    return examine(request["source"])


def _failed(request: dict[str, Any], error: str) -> dict[str, Any]:
    """Answer for a source that some step choked on."""
    if request["do"] == "edit":
        return asdict(Edit(None, "", f"the operator {request['operator']} cannot edit these methods: {error}"))
    if request["do"] == "keep":
        return {"source": request["source"]}  # as it came: the rules say what is wrong with it
    return {"reason": f"it cannot be read as a method: {error}"}


def _sentence(error: Exception) -> str:
    known = {RecursionError: "it is nested too deeply", MemoryError: "it takes too much memory"}
    return known.get(type(error)) or str(error).partition("\n")[0] or type(error).__name__


def examine(source: str) -> dict[str, Any]:
    """Compile, parse and check one source (in the worker)."""
    import libcst

    from evolve.canonical import canonical
    from evolve.rules import broken_rule

    try:
        compile(source, "method", "exec")
    except SyntaxError as error:
        return {"reason": f"line {error.lineno or 1}: it does not compile: {error.msg}"}
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return {"reason": f"it does not compile: {_sentence(error)}"}
    try:
        reason = broken_rule(libcst.parse_module(source), source)
    except libcst.ParserSyntaxError as error:
        return {"reason": f"libcst cannot parse it: {error.message}"}
    except (RecursionError, MemoryError, ValueError) as error:
        return {"reason": f"libcst cannot parse it: {_sentence(error)}"}
    return {"reason": reason} if reason else asdict(canonical(source))
