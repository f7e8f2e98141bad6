"""Turns what was seen of a child into an Outcome: whose fault it was, and predictions that were checked again out here."""

from __future__ import annotations

import math
import os
import signal

import numpy as np

from fitness.contracts.contract import Answer
from fitness.nouns import Limits, Outcome, Status
from fitness.sandbox.inside import notes
from fitness.sandbox.supervisor import NOTE, ChildRecord

TEXT = 600  # characters of a message
THEFT = "the method opened the canary, a decoy label file that no honest method has a reason to look for"
TAIL = 200  # characters of what a child that did not start has printed
SAID, LINES, WIDTH = 8000, 20, 400  # bytes of what a method printed, lines and characters in each, for the person who ran it
OWN_SIGNALS = (  # what can kill a process whose filter lets it send none: faults, limits, and timers of its own
    *(
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGTRAP,
        signal.SIGABRT,
        signal.SIGSYS,
        signal.SIGPIPE,
    ),
    *(signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGXCPU, signal.SIGXFSZ),
)
_CLAIMS = {b"I": Status.INVALID, b"C": Status.CRASHED, b"M": Status.OUT_OF_MEMORY}
_OUT_OF_MEMORY = (b"bad_alloc", b"can't allocate memory", b"Cannot allocate memory")


def verdict(seen: ChildRecord, expected: Answer, shape: tuple[int, ...], limits: Limits) -> Outcome:
    """Return the outcome of one run whose answer is of this shape."""
    status, message = _failure(seen, shape, limits)
    said, (_, block, payload) = _said(seen), _parts(seen)
    noted = (notes.read(block) if len(block) == notes.BLOCK else None) or {}
    if status is not None:
        return Outcome(status, None, seen.seconds, printable(message, TEXT), said, {} if status is Status.VIOLATION else noted)
    predictions = np.frombuffer(payload, dtype="<f4").reshape(shape).astype(np.float32)
    fault = expected.fault(predictions)
    if fault:
        return Outcome(Status.INVALID, None, seen.seconds, fault, said, noted)
    return Outcome(Status.OK, predictions, seen.seconds, said=said, notes=noted)


def _parts(seen: ChildRecord) -> tuple[bytes, bytes, bytes]:
    """Return the parts of a child's stream: the kind byte, the block of notes, the payload."""
    stream = bytes(seen.result)
    return stream[:1], stream[1 : 1 + notes.BLOCK], stream[1 + notes.BLOCK :]


def _failure(seen: ChildRecord, shape: tuple[int, ...], limits: Limits) -> tuple[Status | None, str]:
    """Return why there are no predictions, or (None, "") when the stream is exactly as long as predictions are."""
    if seen.stopped == "setup" or not seen.forked or (not seen.started and seen.exit is not None):
        return Status.LOST, f"the sandbox could not start a child: {_tail(seen) or 'no reason was given'}"
    if seen.stopped == "time" and seen.halted:
        return Status.LOST, "somebody stopped the method's process"
    if seen.stopped == "time" and seen.busy:
        return Status.LOST, f"no core of the machine was free for {seen.waited:.1f} s"
    if seen.stopped == "time":
        return Status.TIMED_OUT, f"the method ran longer than {limits.seconds:g} s"
    if seen.stopped == "threads":
        return Status.VIOLATION, f"the method had more than {limits.threads} threads"
    if seen.stopped == "memory":
        return Status.OUT_OF_MEMORY, f"the method held more than {limits.memory >> 20} MiB of {seen.heavy}"
    if seen.stopped == "unwatched":
        return Status.LOST, "the memory that the method held could no longer be watched"
    if seen.crowded:
        return Status.LOST, f"others held so much of the GPU's memory that {limits.memory >> 20} MiB were not left"
    if seen.stopped == "output":
        return Status.VIOLATION, f"the method printed more than {limits.output} bytes"
    if seen.exit is None and not seen.answered:
        return Status.LOST, "the sandbox ended while the method ran"
    return _answer(seen, shape, limits)


def _answer(seen: ChildRecord, shape: tuple[int, ...], limits: Limits) -> tuple[Status | None, str]:
    """Read the stream of a child that was not stopped: kind byte, notes and payload, whole or cut short, and nothing else."""
    kind, block, payload = _parts(seen)
    expected = 4 * math.prod(shape)
    longest = {b"": 0, b"P": expected} | dict.fromkeys(_CLAIMS, NOTE)
    forged = len(block) == notes.BLOCK and notes.read(block) is None
    if len(payload) > longest.get(kind, -1) or forged:
        return (
            Status.VIOLATION,
            f"the method wrote on its result pipe, where only {expected} bytes of predictions and its notes belong",
        )
    died = None if seen.answered else _death(seen, limits)
    if died is not None:
        return died
    if kind in _CLAIMS and payload:
        return _CLAIMS[kind], payload.decode(errors="replace").partition("\n")[0]
    if kind == b"P" and len(payload) == expected:
        return None, ""
    return Status.CRASHED, "the method exited before it returned"


def _death(seen: ChildRecord, limits: Limits) -> tuple[Status, str] | None:
    """Name the death of a child that did not exit with status 0; None for one that did."""
    code = os.waitstatus_to_exitcode(seen.exit or 0)
    if code == 0:
        return None
    if any(sign in seen.output for sign in _OUT_OF_MEMORY):
        return Status.OUT_OF_MEMORY, f"the method needed more than {limits.memory >> 20} MiB"
    if code == -signal.SIGXCPU:
        return Status.TIMED_OUT, "the method used up its processor time"
    if code < 0 and -code not in OWN_SIGNALS:
        name = signal.Signals(-code).name if -code < signal.SIGRTMIN else f"signal {-code}"
        return Status.LOST, f"somebody, or the system for want of memory, killed the method's process ({name})"
    if code < 0:
        return Status.CRASHED, f"the method died of signal {signal.Signals(-code).name}"
    return Status.CRASHED, f"the method exited with status {code} before it returned"


def _said(seen: ChildRecord) -> str:
    """Return the method's call chain and the end of what it printed, a printable line each."""
    kind, _, payload = _parts(seen)
    calls = payload.decode(errors="replace").split("\n")[1:] if kind in _CLAIMS else []
    printed = [line for line in bytes(seen.output[-SAID:]).decode(errors="replace").split("\n") if line.strip()]
    lines = [*(f"called: {call}" for call in calls), *(f"printed: {line}" for line in printed[-LINES:])]
    return "\n".join(printable(line, WIDTH) for line in lines)


def _tail(seen: ChildRecord) -> str:
    return printable(bytes(seen.output[-4 * TAIL :]).decode(errors="replace"), 10**6)[-TAIL:]


def printable(text: str, length: int) -> str:
    """Return untrusted text on one line, without control characters, cut to a length."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"
