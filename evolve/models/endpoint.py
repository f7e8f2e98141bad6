"""Describes a model's server: its URL, the variable that holds its key, and what of both may never be shown."""

from __future__ import annotations

import base64
import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from evolve.errors import UsageError
from evolve.text import LEAST_SECRET

# names that a container or a virtual machine has for the machine it runs on
HOSTS_OF_CONTAINERS = frozenset(
    ("host.docker.internal", "gateway.docker.internal", "host.containers.internal", "host.lima.internal", "host.orb.internal")
)
LONGEST_NAME = 253  # characters of a host
# What no public name ends in (RFC 6762 appendix G, RFC 6761, ICANN's .internal), and what routers, clusters and VPNs hand out
PRIVATE_ENDINGS = (
    *(".local", ".lan", ".home", ".internal", ".intranet", ".corp", ".private", ".home.arpa", ".test"),
    *(".localdomain", ".localnet", ".fritz.box", ".svc", ".pod", ".consul", ".docker", ".ts.net"),
)


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
    """Return a base URL without its trailing slash and fragment. Raises UsageError when it is not one."""
    url = url.strip()
    if not is_reachable(url) or urlsplit(url).scheme not in ("http", "https"):
        raise UsageError(f"cannot use {without_secrets(url)!r} as a base URL: write it as http://HOST:PORT/v1")
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), parts.query, ""))


def joined(url: str, path: str, query: str = "") -> str:
    """Return the URL of a path below a base URL; the base URL's query, and another one, stand behind the path."""
    parts = urlsplit(url)
    queries = "&".join(part for part in (parts.query, query) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, queries, ""))


def without_secrets(url: str) -> str:
    """Return a URL as it may be shown: without user, password, query and fragment."""
    scheme, slashes, rest = url.strip().partition("://")
    rest = rest.partition("?")[0].partition("#")[0]
    return scheme + slashes + rest.rpartition("@")[2] if slashes else scheme.rpartition("@")[2]


def has_secrets(url: str) -> bool:
    """Tell whether a base URL holds what may not be stored: a user, a password, or a query, which may be a key."""
    return url.strip().rstrip("/#?") != without_secrets(url).rstrip("/")


def secrets_of(key: str, *urls: str) -> tuple[str, ...]:
    """Return every form in which the key, or user, password and query of a URL, may come back, the longest first."""
    found = {key}
    for url in urls:
        parts = urlsplit(url)
        user, password = parts.username or "", parts.password or ""
        pair = f"{unquote(user)}:{unquote(password)}"
        found |= {parts.query, password, unquote(password), pair, *([] if password else [user, unquote(user)])}
        found |= {form for form in _values(parts.query) if len(form) >= LEAST_SECRET}
        found.add(base64.b64encode(pair.encode()).decode())
    return tuple(sorted(found - {"", ":", "Og=="}, key=len, reverse=True))


def _values(query: str) -> list[str]:
    """Return the values of a query, as they are written and as they are meant; a version is no secret."""
    written = [part.partition("=") for part in query.split("&")]
    meant = parse_qsl(query)
    pairs = [(name, value) for name, _, value in written] + meant
    return [value for name, value in pairs if "version" not in name.lower()]


def host(url: str) -> str:
    """Return the host of a URL, "" when it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_reachable(url: str) -> bool:
    """Tell whether a URL names a host that can be looked up, and a port: not whether anything is there."""
    try:
        parts = urlsplit(url)
        return url.isprintable() and " " not in url and parts.port != 0 and _is_host(parts.hostname or "")
    except ValueError:  # UnicodeError is one
        return False


def _is_host(name: str) -> bool:
    """Tell whether a host is an address or a name (RFC 1035 2.3.4). Raises UnicodeError for an empty or over-long label."""
    coded = name.encode("idna")  # as the socket will
    return _address(name) is not None or (len(coded) <= LONGEST_NAME and bool(re.fullmatch(rb"[\w.-]*\w\.?", coded)))


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is, in every notation that a client connects to; None for a name."""
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        if not re.fullmatch(r"[0-9a-fx.]+", name):
            return None
        try:
            address = ipaddress.ip_address(socket.inet_aton(name))  # 127.1, 0x7f000001
        except OSError:
            return None
    return getattr(address, "ipv4_mapped", None) or address


def _name(url: str) -> str:
    return host(url).lower().rstrip(".")


def is_loopback(url: str) -> bool:
    """Tell whether a URL can lead to nothing but this machine."""
    name = _name(url)
    address = _address(name)
    if address is not None:
        return address.is_loopback or address.is_unspecified
    return name == "localhost" or name.endswith(".localhost")


def is_this_machine(url: str) -> bool:
    """Tell whether a URL is on this machine, or on the one that runs this container, by its names too."""
    return is_loopback(url) or _name(url) in {*HOSTS_OF_CONTAINERS, socket.gethostname().lower()}


def is_private(url: str) -> bool:
    """Tell whether a URL is on this machine or in its own network, where servers as a rule need no key."""
    name = _name(url)
    address = _address(name)
    if address is not None:
        return not address.is_global
    return is_this_machine(url) or "." not in name or name.endswith(PRIVATE_ENDINGS)


def key_for(model: str, variable: str, url: str, hint: str) -> str:
    """Return the key to send to a URL, "" for a server of one's own that needs none. Raises UsageError when there is none."""
    key = os.environ.get(variable, "").strip()
    if key and not (key.isascii() and key.isprintable()):
        raise UsageError(f"the key in {variable} contains characters that no key has: set it again")
    if key or is_private(url):
        return key
    raise UsageError(f"{model} needs a key: set {variable}, or {hint}")
