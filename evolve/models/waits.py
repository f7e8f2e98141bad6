"""Reads how long a server asks to wait, wherever it says so: in headers, in the error's details, in its words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from evolve.models.retry import retry_after

DEEPEST = 8  # levels of a refusal's details that are looked at; details may be JSON in a string
SECONDS = {"ms": 0.001, "mil": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}  # by how a unit begins
_UNIT = r"(?:ms|millis(?:econds?)?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])"
_PART = rf"(\d+(?:\.\d+)?)\s*({_UNIT})"
_DURATION = rf"\d+(?:\.\d+)?\s*{_UNIT}(?:(?:[\s,]|and)*\d+(?:\.\d+)?\s*{_UNIT})*"
_IN_WORDS = re.compile(rf"(?:try(?:ing)?[ _-]?again|retry|wait|reset|available)[^.\d]{{0,40}}?({_DURATION})", re.IGNORECASE)
_BARE = re.compile(r"retry[ _-]?after[^\w-]{0,4}(\d+(?:\.\d+)?)(?![\w.])", re.IGNORECASE)
_NAMED = re.compile(r"retry(?:delay|in|after(?:s|secs?|seconds?|ms)?)|wait(?:s|secs?|seconds?)|resetsin(?:s|secs?|seconds?)")
EPOCH = 1e9  # a larger number of seconds is a date


def wait_asked(headers: Mapping[str, str], body: str, now: datetime | None = None) -> float | None:
    """Return the seconds that a refusal asks to wait, None when it says nothing.

    What is said in so many words comes first; the moment when a used-up limit is filled again is for servers that say no more.
    """
    moment = now or datetime.now(UTC)
    wait = retry_after({name.lower(): value for name, value in headers.items()}, moment)
    if wait is not None:
        return wait
    tables = [{str(name).lower(): value for name, value in found.items()} for found in (headers, *_tables(_parsed(body)))]
    named = [_named(table, moment) for table in tables]
    worded = [_longest(_IN_WORDS, body), _longest(_BARE, body)]
    resets = [_reset(table, moment) for table in tables]
    return next((max(known) for group in (named, worded, resets) if (known := [w for w in group if w is not None])), None)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _tables(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield every table in a document, also those in strings that are JSON themselves."""
    if depth > DEEPEST:
        return
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        value = _parsed(value)
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _tables(inner, depth + 1)


def _named(table: dict[str, Any], now: datetime) -> float | None:
    """Return what a field named like a wait says, such as google.rpc.RetryInfo's retryDelay."""
    for name, value in table.items():
        plain = re.sub(r"[^a-z]", "", name)
        if _NAMED.fullmatch(plain):
            wait = _seconds(value, now)
            return wait if wait is None or not plain.endswith("ms") else wait / 1000
    return None


def _reset(table: dict[str, Any], now: datetime) -> float | None:
    """Return when the last of the limits that are used up is filled again."""
    waits = []
    for name, value in table.items():
        if "ratelimit" in name.replace("-", "") and "reset" in name:
            left = _number(table.get(name.replace("reset", "remaining")))
            wait = _seconds(value, now) if not left else None
            waits += [] if wait is None else [wait]
    return max(waits, default=None)


def _seconds(value: Any, now: datetime) -> float | None:
    """Return the seconds that a number, a duration such as 1m30s, a table of seconds and nanos, or a moment stands for."""
    if isinstance(value, dict):
        parts = _number(value.get("seconds")), _number(value.get("nanos"))
        return None if parts == (None, None) else (parts[0] or 0.0) + (parts[1] or 0.0) / 1e9
    number = _number(value)
    if number is None:
        return _moment(value, now) if isinstance(value, str) else None
    for unit in (1000.0, 1.0):  # a date in milliseconds, in seconds
        if number / unit > EPOCH:
            return max(0.0, number / unit - now.timestamp())
    return number


def _moment(text: str, now: datetime) -> float | None:
    if re.fullmatch(_DURATION, text.strip().lower().removeprefix("pt")):
        return _duration(text)
    try:
        date = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds())


def _longest(pattern: re.Pattern[str], text: str) -> float | None:
    return max((_duration(found) for found in pattern.findall(text)), default=None)


def _duration(text: str) -> float:
    """Return the seconds of a duration; a bare number is seconds."""
    parts = re.findall(_PART, text, re.IGNORECASE)
    if not parts:
        return float(text)
    return sum(float(amount) * next(s for unit, s in SECONDS.items() if of.lower().startswith(unit)) for amount, of in parts)


def _number(value: Any) -> float | None:
    """Return a number, or one in a string; None for what is none, negative or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < math.inf else None
