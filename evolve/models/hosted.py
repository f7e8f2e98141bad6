"""Calls models behind an HTTP server: what all providers share, the key, the retries, what a failure means, the cost."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archives.nouns import Usage
from evolve.errors import ModelError
from evolve.models import http
from evolve.models.answers import Answer, kept
from evolve.models.endpoint import checked, key_for, secrets_of, without_secrets
from evolve.models.pricing import price
from evolve.models.retry import PASSING, Passing, Retrier, retry_after
from evolve.nouns import Reply
from evolve.text import LEAST_SECRET, hide, quote

if TYPE_CHECKING:
    from evolve.models import Settings

TEMPLATE = 512  # tokens that a server may put around a prompt: roles, separators, a line of its own
BUSY = (429, 529)  # too many calls, overloaded: everyone holds back


class Hosted(ABC):
    """A model behind an HTTP server. Safe to use from several threads.

    Attributes:
        name: PROVIDER:NAME, as the user wrote it.
        no_key: what else can be done when the key is missing.
        unknown: what to check when the server does not know the model.
    """

    no_key: str
    unknown: str

    def __init__(self, name: str, model: str, url: str, variable: str, rng: random.Random, settings: Settings) -> None:
        self.name, self._model, self._variable, self._settings = name, model, variable, settings
        self._url = checked(url)
        self._shown = without_secrets(self._url)
        self._key = key_for(name, variable, self._url, self.no_key)
        self._secrets = secrets_of(self._key, self._url)
        self._retrier = Retrier(self._shown, settings.patience, rng, settings.clock)
        self._sdk, self._client = self._connect()

    @abstractmethod
    def _connect(self) -> tuple[Any, Any]:
        """Return the SDK's module and client."""

    @abstractmethod
    def _create(self, system: str, prompt: str) -> AbstractContextManager[Any]:
        """Return the SDK's call, whose response is not read yet."""

    @abstractmethod
    def _read(self, body: str) -> Answer | None:
        """Return the answer in a body; None when there is none in it."""

    def _written(self, system: str) -> int:
        """Return the most tokens that a call can write to the server's cache at a price of its own."""
        return 0

    def ask(self, system: str, prompt: str) -> Reply:
        """Answer one prompt.

        Raises ModelError when the server cannot be reached or refuses, and UnusableAnswer, which carries the reply and its
        cost, when what it sent is empty, refused, cut short or too long.
        """
        began = self._settings.clock.now()
        answer = self._retrier.call(lambda: self._attempt(system, prompt))
        usage = self._usage(answer, self._settings.clock.now() - began)
        return kept(self.name, answer.text, usage, self._problem(answer))

    def worst_case(self, system: str, prompt: str) -> Usage:
        """Return the most that asking this can cost: a token is at least a byte, and the answer is limited."""
        tokens_in, tokens_out = _bytes(system) + _bytes(prompt) + TEMPLATE, self._settings.tokens_out
        return Usage(self.name, 1, tokens_in, tokens_out, self._price(tokens_in, tokens_out, 0, self._written(system)))

    def _attempt(self, system: str, prompt: str) -> Answer:
        seconds = self._settings.seconds
        try:
            with self._create(system, prompt) as response:
                body = http.body_of(response, seconds)
        except Exception as error:
            raise self._explained(error) from None  # the chain would show the server's words with the key still in them
        answer = self._read(body)
        if answer is None:
            raise Passing(f"{self._shown} sent something that is not a chat completion: {self._clean(body)}")
        return replace(answer, text=hide(answer.text, [s for s in self._secrets if len(s) >= LEAST_SECRET]))

    def _problem(self, answer: Answer) -> str:
        if answer.refusal:
            return f"{self.name} refused: {self._clean(answer.refusal)}"
        if answer.finish == "length":
            limit = f"this program allows {self._settings.tokens_out:,}; the model's own context may be smaller"
            return f"the answer of {self.name} was cut short after {answer.tokens_out:,} tokens ({limit})"
        if answer.finish == "content_filter":
            return f"the answer of {self.name} was withheld by the server's content filter"
        return ""

    def _explained(self, error: Exception) -> Exception:
        """Turn what went wrong with a call into Passing or ModelError, with a sentence; a bug of ours stays what it is."""
        late = f"{self._shown} did not answer within {self._settings.seconds:g} s"
        chain = [error, *([error.__cause__] if error.__cause__ else [])]
        for found in chain:
            if isinstance(found, http.RefusedByServer):
                return self._refused(found)
            if isinstance(found, http.TooMuch):
                return ModelError(f"{self._shown} sent {found}")
            if isinstance(found, http.TooSlow | self._sdk.APITimeoutError):
                return Passing(late)
        kinds = {kind.__name__ for found in chain for kind in type(found).__mro__}  # the SDKs' HTTP library has two names
        if "TimeoutException" in kinds:
            return Passing(late)
        if kinds & {"APIConnectionError", "RequestError", "OSError"}:
            reason = self._clean(str(chain[-1]) or type(chain[-1]).__name__)
            return Passing(f"{self._shown} cannot be reached ({reason}): is it running, and is the URL right?")
        if kinds & {"APIError", "InvalidURL"}:
            return ModelError(f"{self._shown} sent something that cannot be used: {self._clean(str(error))}")
        return error

    def _refused(self, error: http.RefusedByServer) -> Exception:
        code, said = error.status, self._clean(error.said)
        if code < 400:
            to = self._clean(without_secrets(error.headers.get("location", "")))
            return ModelError(f"{self._shown} sends calls on to {to!r} ({code}), where the key is not taken: is the URL right?")
        if code == 402 or error.kind == "insufficient_quota":  # a 429 that no waiting will cure
            return ModelError(f"the account of {self._variable} at {self._shown} has no credit left ({code}: {said})")
        if code in PASSING or code >= 500:
            wait = retry_after(error.headers)
            sentence = f"{self._shown} is not serving {self.name} now ({code}: {said})"
            return Passing(sentence, busy=code in BUSY, retry_after=wait)
        if code in (401, 403):
            return ModelError(f"{self._shown} refused the key ({code}: {said}): check the variable {self._variable}")
        if code == 404:
            return ModelError(f"{self._shown} does not know {self._model} ({code}: {said}): {self.unknown}")
        return ModelError(f"{self._shown} refused the request ({code}: {said})")

    def _usage(self, answer: Answer, seconds: float) -> Usage:
        counts = answer.tokens_in, answer.tokens_out, answer.cached
        usd = self._price(*counts, answer.written) if answer.counted else None
        return Usage(self.name, 1, answer.tokens_in, answer.tokens_out, usd, seconds, answer.cached, answer.reasoning)

    def _price(self, tokens_in: int, tokens_out: int, cached: int, written: int) -> float | None:
        own = self._settings.prices.get(self.name)
        if own is not None:
            return own.of(tokens_in, tokens_out, cached)
        return price(self._url, self._model, tokens_in, tokens_out, cached, written)

    def _clean(self, text: str) -> str:
        return quote(text, self._secrets)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
