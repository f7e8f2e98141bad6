"""Reads how long a server asks to wait, wherever it says so: in headers, in the error's details, in its words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

DEEPEST = 8  # levels of a refusal's details that are looked at; details may be JSON in a string
SECONDS = {"ms": 0.001, "mil": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}  # by how a unit begins
_UNIT = r"(?:ms|millis(?:econds?)?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])"
_AMOUNT = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_PART = rf"({_AMOUNT})\s*({_UNIT})"
_DURATION = rf"{_AMOUNT}\s*{_UNIT}(?:(?:[\s,]|and)*{_AMOUNT}\s*{_UNIT})*"
_AGAIN = r"(?:try(?:ing)?[ _-]?again|retry|wait|reset|available|(?:another|next|new) (?:request|call|message|attempt))"
_IN_WORDS = re.compile(rf"{_AGAIN}[^.\d]{{0,40}}?({_DURATION})", re.IGNORECASE)
_ONE = re.compile(rf"{_AGAIN}[^.\d]{{0,20}}?\b(?:in|after|for)(?: about)? (?:an?|one) ({_UNIT})", re.IGNORECASE)
_DATE = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
_AT = re.compile(rf"{_AGAIN}[^.\d]{{0,40}}?({_DATE})", re.IGNORECASE)
_BARE = re.compile(r"retry[ _-]?after[^\w-]{0,4}(\d+(?:\.\d+)?)(?![\w.])", re.IGNORECASE)
_NAMED = re.compile(
    r"(?:x|ms|http)*retry(?:delay|in|after)(?:s|secs?|seconds?|ms)?|wait(?:s|secs?|seconds?)|cooldown(?:s|secs?|seconds?)?|"
    r"resets?(?:in|after)(?:s|secs?|seconds?|ms)?|(?:resets?|retry|available)(?:at|time)|estimatedtime"
)
EPOCH = 1e9  # a larger number of seconds is a date


def wait_asked(headers: Mapping[str, str], body: str, now: datetime | None = None) -> float | None:
    """Return the seconds that a refusal asks to wait, None when it says nothing.

    The longest wait that is asked for in so many words comes first; the moment when a used-up limit is filled again is for
    servers that say no more, or say 0.
    """
    moment = now or datetime.now(UTC)
    tables = [{str(name).lower(): value for name, value in found.items()} for found in (headers, *_tables(_parsed(body)))]
    named = [_named(table, moment) for table in tables]
    resets = [_reset(table, moment) for table in tables]
    known = [[wait for wait in group if wait is not None] for group in ([*named, *_worded(body, moment)], resets)]
    return next((max(group) for group in known if any(group)), 0.0 if any(known) else None)


def _worded(body: str, now: datetime) -> list[float | None]:
    lengths = [found for pattern in (_IN_WORDS, _BARE) for found in pattern.findall(body)]
    lengths += [f"1 {unit}" for unit in _ONE.findall(body)]
    return [_duration(length) for length in lengths] + [_moment(date, now) for date in _AT.findall(body)]


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
    """Return what a field named like a wait says, such as google.rpc.RetryInfo's retryDelay; milliseconds are more exact."""
    found = {re.sub(r"[^a-z]", "", name): value for name, value in table.items()}
    waits = {name: _seconds(value, now) for name, value in found.items() if _NAMED.fullmatch(name)}
    exact = [wait / 1000 for name, wait in waits.items() if wait is not None and name.endswith("ms")]
    return max(exact or [wait for wait in waits.values() if wait is not None], default=None)


def _reset(table: dict[str, Any], now: datetime) -> float | None:
    """Return when the last of the limits that are used up is filled again."""
    waits = []
    for name, value in table.items():
        plain = name.replace("-", "")
        if "ratelimit" in plain and "reset" in name:
            left = _number(table.get(name.replace("reset", "remaining")))
            waits.append(_seconds(value, now) if not left else None)
        elif plain == "ratelimit" and isinstance(value, str):
            waits += [_seconds(policy["t"], now) for policy in _policies(value) if not _number(policy.get("r"))]
    return max((wait for wait in waits if wait is not None), default=None)


def _policies(value: str) -> list[dict[str, str]]:
    """Return the limits in a RateLimit header that say when they are filled (`t`) and what is left (`r`).

    draft-ietf-httpapi-ratelimit-headers: `"name";r=0;t=20` each, or `limit=100, remaining=0, reset=20` before version 8.
    """
    each = [value] if "reset" in value.lower() else value.split(",")
    found = [dict(re.findall(r"\b(r|t|remaining|reset)=([\d.]+)", one.lower())) for one in each]
    return [
        {name[:1] if name != "reset" else "t": text for name, text in one.items()} for one in found if {"t", "reset"} & set(one)
    ]


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
        try:
            date = parsedate_to_datetime(text)  # RFC 9110 5.6.7
        except (ValueError, OverflowError):
            return None
    return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds())


def _duration(text: str) -> float:
    """Return the seconds of a duration; a bare number is seconds."""
    parts = re.findall(_PART, text, re.IGNORECASE)
    if not parts:
        return float(text)
    return sum(
        float(amount.replace(",", "")) * next(s for unit, s in SECONDS.items() if of.lower().startswith(unit))
        for amount, of in parts
    )


def _number(value: Any) -> float | None:
    """Return a number, or one in a string; None for what is none, negative or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < math.inf else None
