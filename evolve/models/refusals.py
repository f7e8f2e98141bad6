"""Reads what a server says when it does not answer, as an HTTP error or inside of a success."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from evolve.models.answers import table, text
from evolve.models.waits import wait_asked

UNKNOWN = 502  # what an error inside of a success counts as when it has no code that we know
CODES = {  # of errors that are named, not numbered; the first that fits
    "insufficient_quota|resource_?exhausted|rate_?limit|too_?many|throttl|quota": 429,
    "overload": 529,
    "unavailable|busy|capacity": 503,
    "time_?d?_?out|deadline": 504,
    "billing|credit|balance|payment": 402,
    "auth|api_?key": 401,
    "permission|forbidden": 403,
    "not_?found|not_?exist|no_?such|unknown_?model": 404,
    "invalid|bad_?request|unsupported|argument": 400,
}
_CODE_FIELDS = ("code", "status", "status_code", "http_code", "type")


class Refused(Exception):
    """An answer that is no success.

    Attributes:
        status: its HTTP status, or the code of the error inside of a success.
        body: all that was sent.
        location: where calls are sent on to, "" for nowhere.
        said: the error's message, or the beginning of whatever came instead.
        kind: the error's code or type, "" when it has none.
        wait: the seconds that the server asks to wait, None when it says nothing.
    """

    def __init__(self, status: int, body: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"status {status}")
        headers = headers or {}
        self.status, self.body = status, body
        self.location = headers.get("location", "")
        error = error_in(parsed(body)) or {}
        self.said = text(error.get("message")) or body
        self.kind = text(error.get("code")) or text(error.get("type"))
        self.wait = wait_asked(headers, body)


def inside(document: Any, body: str) -> Refused | None:
    """Return the error inside of a success, as if it had come with its own code; None when there is none."""
    error = error_in(document)
    if error is None:
        return None
    return Refused(_code(error), body if parsed(body) is not None else json.dumps(document))  # a stream's events, put together


def parsed(body: str) -> Any:
    """Return a body's document; None when it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def error_in(document: Any) -> dict[str, Any] | None:
    """Return the error in a document as a table with a message, in whichever of the common shapes; None without one."""
    if isinstance(document, list):
        return error_in(document[0]) if document else None
    found = table(document)
    for name in ("error", "errors", "detail"):
        value = found.get(name)
        if isinstance(value, list) and value:
            value = value[0] if name == "errors" else json.dumps(value)
        if isinstance(value, dict) and value:
            return value
        if isinstance(value, str) and value:
            return {**found, "message": value}
    is_error = "error" in (found.get("object"), found.get("type")) or (text(found.get("message")) and "code" in found)
    return found if is_error else None


def _code(error: dict[str, Any]) -> int:
    for field in _CODE_FIELDS:
        value = error.get(field)
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value[:9])
        if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:
            return value
        if isinstance(value, str):
            named = next((code for pattern, code in CODES.items() if re.search(pattern, value, re.IGNORECASE)), None)
            if named:
                return named
    return UNKNOWN
