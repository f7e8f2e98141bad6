"""Reads the few environment variables that a call to a server obeys: proxies and certificates, and no others.

The HTTP library is told to read none itself, so what it does not know how to use is a sentence at the start, and a prompt for
this machine passes no proxy.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from evolve.errors import UsageError
from evolve.models.endpoint import host, is_reachable, is_this_machine, without_secrets
from evolve.text import printable_line

PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True)
class Route:
    """How a URL is reached.

    Attributes:
        proxy: the URL of a proxy, "" for none.
        context: how the certificates of the server, and of an https:// proxy, are checked; None stands for the system's.
    """

    proxy: str = ""
    context: ssl.SSLContext | None = None

    @property
    def proxy_encrypted(self) -> bool:
        """Whether there is a proxy that has a certificate of its own."""
        return urlsplit(self.proxy).scheme == "https"


def route_to(url: str) -> Route:
    """Return how the environment wants a URL to be reached. Raises UsageError when it says something unusable."""
    proxy = _proxy_for(url)
    encrypted = "https" in (urlsplit(url).scheme, urlsplit(proxy).scheme)
    return Route(proxy, _context() if encrypted else None)


def _proxy_for(url: str) -> str:
    found = getproxies_environment()
    scheme = urlsplit(url).scheme
    variable = next((name for name in (scheme, "all") if found.get(name, "").strip()), "")
    if not variable or is_this_machine(url) or _excepted(host(url).lower(), found.get("no", "")):
        return ""
    proxy = found[variable].strip()
    return _checked(proxy if "://" in proxy else f"http://{proxy}", f"{variable.upper()}_PROXY", host(url))


def _checked(proxy: str, variable: str, target: str) -> str:
    shown = printable_line(without_secrets(proxy), 80)
    way_out = f"correct it, or set NO_PROXY={target} to go without"
    try:
        scheme = urlsplit(proxy).scheme
    except ValueError:
        scheme = ""
    if not (is_reachable(proxy) and proxy.isascii()):
        raise UsageError(f"{variable} is no URL of a proxy ({shown!r}): write it as http://HOST:PORT, or set NO_PROXY={target}")
    if scheme not in PROXY_SCHEMES:
        known = ", ".join(f"{each}://" for each in PROXY_SCHEMES)
        raise UsageError(f"{variable} names a proxy {shown!r}, and only {known} can be used: {way_out}")
    if scheme.startswith("socks") and find_spec("socksio") is None:
        need = "which needs the package socksio: run `pip install socksio`"
        raise UsageError(f"{variable} names a SOCKS proxy, {shown!r}, {need}, or set NO_PROXY={target} to go without")
    return proxy


def _excepted(name: str, exceptions: str) -> bool:
    """Tell whether NO_PROXY names a host: itself, a domain it is in, a network, or * for every host."""
    for entry in exceptions.lower().split(","):
        entry = entry.strip().rpartition("://")[2]
        if entry == "*":
            return True
        if entry.count(":") == 1 or "]:" in entry:  # with a port
            entry = entry.rpartition(":")[0]
        entry = entry.strip("[]").lstrip("*").lstrip(".")
        if entry and (name == entry or name.endswith(f".{entry}") or _inside(name, entry)):
            return True
    return False


def _inside(name: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(name) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _context() -> ssl.SSLContext | None:
    """Return a context with the certificates that the environment names. Raises UsageError when they cannot be read."""
    file, folder = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
    if not file and not folder:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # not the default one, which reads SSLKEYLOGFILE
    for variable, path, kind in (("SSL_CERT_FILE", file, "cafile"), ("SSL_CERT_DIR", folder, "capath")):
        try:
            if path and kind == "capath" and not any(map(os.path.isdir, path.split(os.pathsep))):
                raise NotADirectoryError("no such folder")
            for each in path.split(os.pathsep) if kind == "capath" else [path]:
                if each:
                    context.load_verify_locations(**{kind: each})
        except (OSError, ValueError) as error:
            reason = printable_line(getattr(error, "strerror", "") or str(error), 80)
            shown = printable_line(path, 80)
            raise UsageError(
                f"the certificates in {variable} cannot be used ({shown!r}: {reason}): correct it, or unset {variable}"
            ) from None
    return context
