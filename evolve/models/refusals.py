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
    "context_?(?:length|window)|max_?tokens|too_?long": 400,
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
WORDS = {  # of errors that have a message alone; they are fewer, for a message may say "invalid" of anything
    r"context (?:length|window)|unsupported (?:parameter|value)|(?:parameter|value|role|field)s? .{0,80}?not supported": 400,
    r"rate.?limit|too many (?:requests|calls)|throttl|quota": 429,
    r"overload": 529,
    r"insufficient (?:credits?|balance|funds)": 402,
    r"(?:invalid|incorrect|missing|no) api.?key|unauthori[sz]ed": 401,
}
_CODE_FIELDS = ("code", "status", "status_code", "statusCode", "http_code", "type")
_MESSAGE_FIELDS = ("message", "msg", "status_msg")


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
        document = parsed(body)
        error = error_in(document) or error_of_choice(document) or {}
        self.said = text(error.get("message")) or body
        self.kind = text(error.get("code")) or text(error.get("type"))
        self.wait = wait_asked(headers, body)


def inside(document: Any, body: str) -> Refused | None:
    """Return the error inside of a success, as if it had come with its own code; None when there is none."""
    error = error_in(document) or error_of_choice(document)
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
        if isinstance(value, str) and value:
            value = error_in(parsed(value)) or {**found, "message": value}
        if isinstance(value, dict) and value:
            return _with_message(value) or error_in(value) or value
    base = table(found.get("base_resp"))  # MiniMax's, which every success has, too
    if base.get("status_code"):
        return _with_message(base) or base
    told = _with_message(found)
    is_error = "error" in (found.get("object"), found.get("type")) or (told and ("code" in found or _numbered(found)))
    return (told or found) if is_error else None


def error_of_choice(document: Any) -> dict[str, Any] | None:
    """Return the error in the first choice of a completion, as routers put it there; None without one."""
    choices = table(document).get("choices")
    return error_in({"error": table(choices[0]).get("error")}) if isinstance(choices, list) and choices else None


def _with_message(error: dict[str, Any]) -> dict[str, Any] | None:
    said = next((text(error[name]) for name in _MESSAGE_FIELDS if text(error.get(name))), "")
    return {**error, "message": said} if said else None


def _code(error: dict[str, Any]) -> int:
    """Return the code that an error has: a number, else a name, else what its message says."""
    names = (error[field] for field in _CODE_FIELDS if isinstance(error.get(field), str))
    named = (_first(CODES, name) for name in names)
    return _numbered(error) or next(filter(None, named), 0) or _first(WORDS, text(error.get("message"))) or UNKNOWN


def _numbered(error: dict[str, Any]) -> int:
    for field in _CODE_FIELDS:
        value = error.get(field)
        if isinstance(value, str) and re.fullmatch(r"\s*\d{3}(?:\.0*)?\s*", value, re.ASCII):
            value = float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and 400 <= value < 600:
            return int(value)
    return 0


def _first(codes: Mapping[str, int], said: str) -> int:
    return next((code for pattern, code in codes.items() if re.search(pattern, said, re.IGNORECASE)), 0)
