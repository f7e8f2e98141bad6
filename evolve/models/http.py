"""Reads HTTP bodies with a limit: a server may be hostile, and the SDKs read whatever is sent.

The SDK's own client is given one hook, which runs before it reads a body or follows a redirect (a redirect would take the key
to another host). Compressed answers are not asked for and not read, for a few bytes of them may stand for gigabytes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from evolve.errors import UsageError
from evolve.models.answers import table, text

MOST = 8 << 20  # bytes of an answer
MOST_OF_A_REFUSAL = 64 << 10


class TooMuch(Exception):
    """More bytes than any answer has, or compressed ones; the sentence's end says which."""


class TooSlow(Exception):
    """A body that does not end in time."""


class RefusedByServer(Exception):
    """An HTTP answer that is no success.

    Attributes:
        status: its status.
        headers: its headers.
        said: the error's message, or the beginning of whatever came instead.
        kind: the error's code or type, "" when it has none.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: str) -> None:
        super().__init__(f"status {status}")
        self.status, self.headers = status, headers
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            document = None
        error = table(table(document).get("error"))
        self.said = text(error.get("message")) or body
        self.kind = text(error.get("code")) or text(error.get("type"))


def connect(sdk: str, kind: str, model: str, seconds: float, **options: Any) -> tuple[Any, Any]:
    """Return an SDK's module, and a client of it with the hook. Raises UsageError when it is missing."""
    try:
        module = import_module(sdk)
    except ImportError as error:
        raise UsageError(f"{model} needs the extra llm: run `pip install -e '.[llm]'` in the checkout") from error

    def refuse(response: Any) -> None:
        if response.status_code >= 300:
            body, _ = _read(response, MOST_OF_A_REFUSAL, time.monotonic() + seconds)
            raise RefusedByServer(response.status_code, dict(response.headers), body)

    http = module.DefaultHttpxClient(timeout=seconds, follow_redirects=False, event_hooks={"response": [refuse]})
    headers = {"Accept-Encoding": "identity"}
    return module, getattr(module, kind)(max_retries=0, timeout=seconds, http_client=http, default_headers=headers, **options)


def body_of(response: Any, seconds: float) -> str:
    """Return the body of a success. Raises TooMuch, TooSlow, or an error of the connection."""
    body, whole = _read(response.http_response, MOST, time.monotonic() + seconds)
    if not whole:
        raise TooMuch(f"more than {MOST >> 20} MB, and no answer is that long")
    return body


def _read(response: Any, most: int, deadline: float) -> tuple[str, bool]:
    if response.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise TooMuch("a compressed answer, which was not asked for")
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > most:
            return content[:most].decode("utf-8", "replace"), False
        if time.monotonic() > deadline:
            raise TooSlow
    return content.decode("utf-8", "replace"), True
