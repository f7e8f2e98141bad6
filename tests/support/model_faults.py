"""What can go wrong with a model server, on purpose, and what it notes of each request."""

from __future__ import annotations

import functools
import json
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

FAULTS = {
    "rate_limit": "429 with Retry-After in seconds",
    "rate_limit_date": "429 with Retry-After as a date, `seconds` from now",
    "overloaded": "529",
    "server_error": "500",
    "unavailable": "503 without a body",
    "unauthorized": "401 that repeats the key it was sent",
    "no_credit": "402",
    "redirect": "307 to another host's name",
    "leaky_error": "400 that repeats every header it was sent",
    "leaky_answer": "a good answer whose idea and code repeat the key",
    "malformed": "200 with broken JSON",
    "page": "200 with a page of HTML",
    "deep": "200 with JSON nested a hundred thousand deep",
    "wrong_types": "200 with values of other types than promised",
    "hang_up": "the connection is cut after the headers",
    "slow": "the answer waits until the server closes or `seconds` have passed",
    "drip": "a body that comes byte by byte and does not end before the server closes or `seconds` have passed",
    "flood": "200 with a body of 2 GB",
    "error_flood": "500 with a body of 2 GB",
    "bomb": "200 with a compressed body that stands for 256 MB",
    "no_choices": "200 with an empty list of choices, or of content",
    "odd_counts": "a good answer with a negative, a huge and a NaN number of tokens",
    "no_usage": "a good answer that says nothing about tokens",
    "cached": "a good answer whose system text was in the server's cache",
    "thinking": "a good answer after thoughts",
    "empty": "an answer of no characters",
    "truncated": "an answer cut in the middle because of its length",
    "refusal": "the model refuses",
    "huge": "an answer of 200,000 characters",
    "no_code": "an answer without code",
    "three_blocks": "an answer with three blocks of code, the method in the second",
    "wrong_function": "code that defines something else",
    "crashing": "a method that raises",
    "forbidden": "a method that imports what it may not",
    "unmatched": "an edit of lines that the parent does not have",
    "unchanged": "the parent as it was",
}
ELSEWHERE = "/elsewhere"  # where `redirect` leads to
NO_USAGE = ("odd_counts", "no_usage", "wrong_types", "deep")
FLOOD = 2 << 30  # bytes
BOMB = 256  # MB
ODD = (-7, 10**30, float("nan"))


@dataclass(frozen=True)
class Fault:
    """One thing to go wrong: a key of FAULTS; `seconds` is what Retry-After says, or how long `slow` and `drip` take."""

    kind: str
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ValueError(f"unknown fault {self.kind!r}: the faults are {', '.join(FAULTS)}")


@dataclass(frozen=True)
class Served:
    """One answered request, as the server counts it; tokens are 0 when it sent no usage.

    Attributes:
        tokens_in: of the prompt, `cached` of them out of a cache.
        tokens_out: of the answer, `reasoning` of them thoughts.
    """

    status: int
    fault: str
    system: str
    prompt: str
    reply: str
    tokens_in: int
    tokens_out: int
    cached: int = 0
    reasoning: int = 0


def refusal_of(fault: Fault, sent: dict[str, str], port: int) -> tuple[int, dict[str, str], str, str] | None:
    """Return the status, headers, message and code of a fault that is an HTTP error; None for another kind."""
    match fault.kind:
        case "rate_limit":
            return 429, {"Retry-After": f"{fault.seconds:g}"}, "slow down", "rate_limit_exceeded"
        case "rate_limit_date":
            moment = format_datetime(datetime.now(UTC) + timedelta(seconds=fault.seconds), usegmt=True)
            return 429, {"Retry-After": moment}, "slow down", "rate_limit_exceeded"
        case "overloaded":
            return 529, {}, "Overloaded", "overloaded_error"
        case "server_error":
            return 500, {}, "something broke", "server_error"
        case "unavailable":
            return 503, {}, "", ""
        case "unauthorized":
            return 401, {}, f"Incorrect API key provided: {key_in(sent)}", "invalid_api_key"
        case "no_credit":
            return 402, {}, "Insufficient Balance", "unknown_error"
        case "redirect":
            return 307, {"Location": f"http://localhost:{port}{ELSEWHERE}"}, "it is elsewhere", "moved"
        case "leaky_error":
            return 400, {}, f"bad request: {sent}", "invalid_request_error"
    return None


def key_in(sent: dict[str, str]) -> str:
    """Return the key in a request's headers."""
    lower = {name.lower(): value for name, value in sent.items()}
    return lower.get("x-api-key") or lower.get("authorization", "").removeprefix("Bearer ")


def body_of(fault: str) -> bytes | None:
    """Return the body of a fault that answers 200 with something else than an answer."""
    bodies: dict[str, Any] = {
        "malformed": b'{"id": "chatcmpl-0", "choices": [{"message": {"content": "IDEA: ',
        "page": b"<!DOCTYPE html><html><title>Sign in</title><p>Welcome to the hotel's network</p></html>",
        "deep": b"[" * 100_000 + b"]" * 100_000,
        "wrong_types": json.dumps(
            {"choices": [{"message": {"content": {"a": 1}}}], "content": [7, {"type": "text", "text": {}}], "usage": [1]}
        ).encode(),
    }
    return bodies.get(fault)


def misbehave(
    fault: Fault,
    start: Callable[[int, dict[str, str]], None],
    write: Callable[[bytes], object],
    closing: threading.Event,
) -> None:
    """Send a body that is cut, endless, or far larger than it looks."""
    try:
        match fault.kind:
            case "hang_up":
                start(200, {"Content-Length": "1000"})
            case "drip":
                start(200, {"Content-Length": "100000"})
                ends = time.monotonic() + fault.seconds
                while time.monotonic() < ends and not closing.wait(0.02):
                    write(b" ")
            case "flood" | "error_flood":
                start(200 if fault.kind == "flood" else 500, {"Content-Length": str(FLOOD)})
                for _ in range(FLOOD >> 20):
                    write(b" " * (1 << 20))
            case "bomb":
                packed = _bomb()
                start(200, {"Content-Length": str(len(packed)), "Content-Encoding": "gzip"})
                write(packed)
    except OSError:  # the client has had enough
        pass


@functools.cache
def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(BOMB)) + packer.flush()
