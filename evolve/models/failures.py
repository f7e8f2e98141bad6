"""Says what went wrong with a call, in a sentence without secrets, and whether a later call may do better."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from evolve.errors import ModelError
from evolve.models.endpoint import without_secrets
from evolve.models.http import TooMuch, TooSlow
from evolve.models.refusals import Refused
from evolve.models.retry import PASSING, Passing
from evolve.text import quote

BUSY = (429, 529)  # too many calls, overloaded: everyone holds back


@dataclass(frozen=True)
class Failures:
    """What is said of one model's failures.

    Attributes:
        name: PROVIDER:NAME; `model`: the server's name of it.
        server: the base URL as it may be shown, and `proxy` on the way to it, "" for none.
        variable: the environment variable that holds the key.
        unknown: what to check when the server does not know the model.
        secrets: what may not be shown; `key`: the key, "" when none is sent.
    """

    name: str
    model: str
    server: str
    variable: str
    proxy: str
    unknown: str
    secrets: tuple[str, ...] = field(repr=False)
    key: str = field(repr=False)

    def clean(self, text: str) -> str:
        """Return a server's words as they may stand in a sentence."""
        return quote(text, self.secrets)

    def no_answer(self, body: str) -> str:
        """Return the sentence for a success that holds no answer."""
        return f"{self.server} sent something that is not a chat completion: {self.clean(body)}"

    def explained(self, error: Exception, seconds: float) -> Exception:
        """Turn what went wrong with a call into Passing or ModelError, with a sentence; a bug of ours stays what it is."""
        if isinstance(error, Refused):
            return self._refused(error)
        if isinstance(error, TooMuch):
            return ModelError(f"{self.server} sent {error}")
        kinds = {kind.__name__ for kind in type(error).__mro__}  # by name: the HTTP library is imported only when needed
        if isinstance(error, TooSlow) or "TimeoutException" in kinds:
            return Passing(f"{self.server} did not answer within {seconds:g} s")
        if kinds & {"UnsupportedProtocol", "LocalProtocolError", "InvalidURL", "DecodingError"}:
            return ModelError(f"{self.server} sent something that cannot be used: {self.clean(str(error))}")
        if kinds & {"RequestError", "OSError"}:
            return Passing(self._unreachable(error))
        return error

    def _unreachable(self, error: Exception) -> str:
        reason = self.clean(str(error) or type(error).__name__)
        if self.proxy:
            return f"{self.server} cannot be reached through the proxy {self.proxy} ({reason}): is the proxy right?"
        return f"{self.server} cannot be reached ({reason}): is it running, and is the URL right?"

    def _refused(self, error: Refused) -> Exception:
        code, said = error.status, self.clean(error.said)
        if code < 400:
            to: Any = self.clean(without_secrets(error.location))
            return ModelError(f"{self.server} sends calls on to {to!r} ({code}), where the key is not taken: is the URL right?")
        if code == 402 or error.kind == "insufficient_quota":  # a 429 that no waiting will cure
            return ModelError(f"the account of {self.variable} at {self.server} has no credit left ({code}: {said})")
        if code in PASSING or code >= 500:
            sentence = f"{self.server} is not serving {self.name} now ({code}: {said})"
            return Passing(sentence, busy=code in BUSY, retry_after=error.wait)
        if code in (401, 403):
            what, todo = ("the key", "check") if self.key else ("a call without a key", "set")
            return ModelError(f"{self.server} refused {what} ({code}: {said}): {todo} the variable {self.variable}")
        if code == 404:
            return ModelError(f"{self.server} does not know {self.model} ({code}: {said}): {self.unknown}")
        return ModelError(f"{self.server} refused the request ({code}: {said})")
