"""Finds out, before any work begins, whether a server knows a model, and what it offers when it does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote as quoted

from evolve.errors import ModelError
from evolve.models.answers import table, text
from evolve.models.failures import Failures
from evolve.models.http import Client
from evolve.models.refusals import Refused, parsed
from evolve.models.retry import Passing

SECONDS = 20.0  # one question about models may take
SHOWN = 8  # models that are named
_NOT = r"not (?:be )?(?:found|available|known|loaded|valid|supported)|does(?:n't| not) exist|unknown|no such|invalid"
_UNKNOWN = re.compile(
    rf"\bmodels?\b.{{0,120}}?\b(?:{_NOT})|(?:unknown|invalid|no such|not a valid|not found).{{0,20}}?\bmodel|model_?not_?found",
    re.IGNORECASE | re.DOTALL,
)
_OF_THE_REQUEST = re.compile(r"parameter|argument|messages?\b|max_|stream", re.IGNORECASE)  # so it is not about the name


def check_offer(
    client: Client, model: str, path: str, query: str, public: bool, failures: Failures, try_out: Callable[[], object]
) -> str:
    """Return what is doubtful about a model's name as a sentence, "" for nothing.

    A server that lists the model knows it. The list of a public one is complete, but for other names of a model, which it is
    asked for singly. Any other server may take names that it does not list, so it is tried out with a request that costs
    nothing. Whatever else goes wrong says nothing about the name, and is told when the search asks.

    Raises ModelError when the server cannot be reached, refuses the key, or does not know the model.
    """
    offered: list[str] = []
    try:
        offered = _names(parsed(client.get(path, query, SECONDS)))
    except Exception as error:
        _raise_certain(error, failures)
    if model in offered or model.partition(":")[0] in offered:
        return ""
    try:
        if not public:
            try_out()
        elif offered:
            client.get(f"{path}/{quoted(model)}", "", SECONDS)
    except Exception as error:
        if isinstance(error, Refused) and _is_unknown(error):
            said = f"{error.status}: {failures.clean(error.said)}"
            more = f"; it offers {_shown(model, offered, failures)}" if offered else ""
            raise ModelError(f"{failures.server} does not know {model} ({said}): {failures.unknown}{more}") from None
        _raise_certain(error, failures)
    if not offered or public:
        return ""
    return f"{failures.server} does not list {model}: it offers {_shown(model, offered, failures)}"


def _names(document: Any) -> list[str]:
    """Return the names in a list of models, in whichever of the common shapes."""
    found = document if isinstance(document, list) else table(document).get("data") or table(document).get("models")
    entries = found if isinstance(found, list) else []
    names = (entry if isinstance(entry, str) else table(entry).get("id") or table(entry).get("name") for entry in entries)
    return [text(name).removeprefix("models/") for name in names if text(name)]


def _is_unknown(error: Refused) -> bool:
    if error.status == 404:
        return True
    said = f"{error.kind}: {error.said}"
    return 400 <= error.status < 500 and bool(_UNKNOWN.search(said)) and not _OF_THE_REQUEST.search(error.said)


def _shown(model: str, offered: list[str], failures: Failures) -> str:
    """Return the models that are named most alike."""
    near = [failures.clean(name) for name in get_close_matches(model, offered, n=SHOWN, cutoff=0.0)]
    return ", ".join(near) + (f" and {len(offered) - len(near)} more" if len(offered) > len(near) else "")


def _raise_certain(error: Exception, failures: Failures) -> None:
    """Raise what no later call will meet otherwise: no server, a refused key. A bug of ours stays what it is."""
    explained = failures.explained(error, SECONDS)
    if not isinstance(explained, ModelError | Passing):
        raise error
    kinds = {kind.__name__ for kind in type(error).__mro__}
    refused = isinstance(error, Refused) and error.status in (401, 402)
    if refused or kinds & {"ConnectError", "ProxyError", "UnsupportedProtocol"}:
        raise ModelError(str(explained)) from None
