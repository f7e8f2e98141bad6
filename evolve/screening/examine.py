"""Compiles, parses and checks one source, and returns its canonical form; asks the worker for that and for others like it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from evolve.nouns import Worker
from evolve.screening.worker import CallFailed, WorkerDied, sentence

SECONDS = 0.7  # of processor time
PATIENCE = 7.0  # seconds of processor time for what is judged already


def examined(worker: Worker, source: str) -> dict[str, Any]:
    """Have a source parsed: {"reason": sentence} when it breaks a rule, else the fields of canonical.Canonical."""
    try:
        return worker.call("evolve.screening.examine:examine", SECONDS, source=source)
    except CallFailed as error:
        return {"reason": f"it cannot be read as a method: {error}"}
    except WorkerDied:
        crashed = "the parser crashed on it, or was busy with it for too long"
        return {"reason": f"{crashed}: nest brackets and operators less deeply"}


def with_others(worker: Worker, source: str, seed: int) -> dict[str, list[str]] | None:
    """Have a source written with other constants where it could hold fitted ones (scrambling.scrambled); None: unreadable."""
    try:
        return worker.call("evolve.screening.scrambling:scrambled", PATIENCE, source=source, seed=seed)
    except (CallFailed, WorkerDied):
        return None


def examine(source: str) -> dict[str, Any]:
    """Compile, parse and check one source (in the worker)."""
    import libcst

    from evolve.screening.canonical import canonical
    from evolve.screening.rules import broken_rule

    try:
        compile(source, "method", "exec")
    except SyntaxError as error:
        return {"reason": f"line {error.lineno or 1}: it does not compile: {error.msg}"}
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return {"reason": f"it does not compile: {sentence(error)}"}
    try:
        reason = broken_rule(libcst.parse_module(source), source)
    except libcst.ParserSyntaxError as error:
        return {"reason": f"libcst cannot parse it: {error.message}"}
    except (RecursionError, MemoryError, ValueError) as error:
        return {"reason": f"libcst cannot parse it: {sentence(error)}"}
    return {"reason": reason} if reason else asdict(canonical(source))
