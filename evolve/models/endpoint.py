"""Describes a model's server: its URL, the variable that holds its key, and what of both may never be shown."""

from __future__ import annotations

import base64
import ipaddress
import os
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from evolve.errors import UsageError

NO_KEY = "no-key-needed"  # the SDKs refuse to start without one; a server on this machine does not look at it


@dataclass(frozen=True)
class Endpoint:
    """A public server.

    Attributes:
        url: its base URL.
        variable: the environment variable that holds its key.
        example: one of its models, to name in a hint.
    """

    url: str
    variable: str
    example: str

    @property
    def has_key(self) -> bool:
        """Whether the environment holds a key for it."""
        return bool(os.environ.get(self.variable, "").strip())


def checked(url: str) -> str:
    """Return a base URL without its trailing slash. Raises UsageError when it is not one."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"cannot use {without_secrets(url)!r} as a base URL: write it as http://HOST:PORT/v1")
    return url.strip().rstrip("/")


def without_secrets(url: str) -> str:
    """Return a URL as it may be shown: without user, password, query and fragment."""
    scheme, slashes, rest = url.strip().partition("://")
    rest = rest.partition("?")[0].partition("#")[0]
    return scheme + slashes + rest.rpartition("@")[2] if slashes else scheme.rpartition("@")[2]


def has_secrets(url: str) -> bool:
    """Tell whether a base URL holds what may not be stored: a user, a password, or a query, which may be a key."""
    return url.strip().rstrip("/#?") != without_secrets(url).rstrip("/")


def secrets_of(key: str, url: str) -> tuple[str, ...]:
    """Return every form in which the key, or the URL's user and password, may come back from a server, the longest first."""
    parts = urlsplit(url)
    user, password = parts.username or "", parts.password or ""
    pair = f"{unquote(user)}:{unquote(password)}"
    found = {key, parts.query, password, unquote(password), pair, *([] if password else [user, unquote(user)])}
    found.add(base64.b64encode(pair.encode()).decode())
    return tuple(sorted((s for s in found - {NO_KEY, "", ":", "Og=="}), key=len, reverse=True))


def host(url: str) -> str:
    """Return the host of a URL, "" when it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(url: str) -> bool:
    """Tell whether a URL is on this machine."""
    name = host(url)
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def key_for(model: str, variable: str, url: str, hint: str) -> str:
    """Return the key to send to a URL; a server on this machine needs none. Raises UsageError when there is none."""
    key = os.environ.get(variable, "").strip()
    if key and not (key.isascii() and key.isprintable()):
        raise UsageError(f"the key in {variable} contains characters that no key has: set it again")
    if key or is_loopback(url):
        return key or NO_KEY
    raise UsageError(f"{model} needs a key: set {variable}, or {hint}")
