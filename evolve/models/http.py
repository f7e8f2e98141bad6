"""Sends requests to a model's server and reads what comes back with a limit: a server may be hostile.

Nothing of the environment is read but what `environment` reads. No redirect is followed: it would take the key to another host.
Compressed answers are not asked for and not read, for a few bytes of them may stand for gigabytes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from evolve import __version__
from evolve.errors import UsageError
from evolve.models.endpoint import joined, without_secrets
from evolve.models.environment import Route
from evolve.models.refusals import Refused

MOST = 8 << 20  # bytes of an answer
MOST_OF_A_STREAM = 32 << 20  # each token comes in a document of its own
MOST_OF_A_REFUSAL = 64 << 10
_JSON = {"Content-Type": "application/json"}


class TooMuch(Exception):
    """More bytes than any answer has, or compressed ones; the sentence's end says which."""


class TooSlow(Exception):
    """A body that does not end in time."""


class Client:
    """A connection to one server. Safe to use from several threads."""

    def __init__(self, model: str, url: str, headers: Mapping[str, str], route: Route, seconds: float) -> None:
        """Open it. Raises UsageError when the HTTP library is missing, or cannot use the URL or the proxy."""
        try:
            self.library: Any = import_module("httpx2")
        except ImportError as error:
            raise UsageError(f"{model} needs the extra llm: run `pip install -e '.[llm]'` in the checkout") from error
        self._url, self._seconds = url, seconds
        own = {"User-Agent": f"evolve/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
        verify = route.context or True
        try:
            self.library.URL(url)
            own_context = {"ssl_context": route.context} if route.proxy_encrypted else {}  # others may not be given one
            proxy = self.library.Proxy(route.proxy, **own_context) if route.proxy else None
            self._client = self.library.Client(
                headers={**own, **headers}, timeout=seconds, verify=verify, proxy=proxy, trust_env=False, follow_redirects=False
            )
        except (self.library.InvalidURL, ValueError, ImportError):
            through = f" through the proxy {without_secrets(route.proxy)!r}" if route.proxy else ""
            raise UsageError(f"cannot use {without_secrets(url)!r} as a base URL{through}: correct it") from None

    def post(self, path: str, request: Mapping[str, Any], most: int = MOST) -> str:
        """Return the body of a success. Raises Refused, TooMuch, TooSlow, or an error of the connection."""
        content = json.dumps(request).encode("ascii")  # a lone surrogate in a prompt is escaped like everything else
        return self._send("POST", joined(self._url, path), most, self._seconds, content=content, headers=_JSON)

    def get(self, path: str, query: str, seconds: float) -> str:
        """Return the body of a success. Raises as `post` does."""
        return self._send("GET", joined(self._url, path, query), MOST, seconds)

    def _send(self, verb: str, url: str, most: int, seconds: float, **content: Any) -> str:
        with self._client.stream(verb, url, timeout=seconds, **content) as response:
            good = 200 <= response.status_code < 300
            body, whole = _read(response, most if good else MOST_OF_A_REFUSAL, time.monotonic() + seconds)
        if not good:
            raise Refused(response.status_code, body, dict(response.headers))
        if not whole:
            raise TooMuch(f"more than {most >> 20} MB, and no answer is that long")
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
    return content.decode("utf-8-sig", "replace"), True  # a byte order mark is no part of a document
