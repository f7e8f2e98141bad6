"""Calls models behind an HTTP server: what all providers share, the key, the retries, what a failure means, the cost."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archives.nouns import Usage
from evolve.models.answers import CUT, WITHHELD, Completion, kept
from evolve.models.endpoint import checked, key_for, secrets_of, without_secrets
from evolve.models.environment import route_to
from evolve.models.failures import Failures
from evolve.models.http import MOST, MOST_OF_A_STREAM, Client
from evolve.models.offers import check_offer
from evolve.models.pricing import price
from evolve.models.refusals import Refused, inside
from evolve.models.retry import Passing, Retrier
from evolve.models.streams import document_in
from evolve.models.wishes import LESSONS, Form, is_of_one_call, learned, may_be_learned
from evolve.nouns import Reply
from evolve.text import LEAST_SECRET, hide

if TYPE_CHECKING:
    from evolve.models import Settings

TEMPLATE = 512  # tokens that a server may put around a prompt: roles, separators, a line of its own


class Hosted(ABC):
    """A model behind an HTTP server. Safe to use from several threads.

    Attributes:
        name: PROVIDER:NAME, as the user wrote it.
        no_key: what else can be done when the key is missing.
        unknown: what to check when the server does not know the model.
        asked_at: the path that is asked for an answer; `offered_at`: the one that lists models, and `all_of_them` its query.
    """

    no_key: str
    unknown: str
    asked_at: str
    offered_at: str
    all_of_them: str = ""

    def __init__(
        self, name: str, model: str, url: str, variable: str, public: bool, rng: random.Random, settings: Settings
    ) -> None:
        """`public`: whether the server is a known one, whose list of models is complete."""
        self.name, self._model, self._settings, self._public = name, model, settings, public
        self._url = checked(url)
        key = key_for(name, variable, self._url, self.no_key)
        route = route_to(self._url)
        self._client = Client(name, self._url, self._headers(key), route, settings.seconds)
        self._secrets = secrets_of(key, self._url, route.proxy)
        shown = without_secrets(self._url)
        self._failures = Failures(name, model, shown, variable, without_secrets(route.proxy), self.unknown, self._secrets, key)
        self._retrier = Retrier(shown, settings.patience, rng, settings.clock)
        self._form = self._first_form()

    @abstractmethod
    def _headers(self, key: str) -> dict[str, str]:
        """Return the headers that carry the key."""

    @abstractmethod
    def _first_form(self) -> Form:
        """Return the form of a request before anything is known of the server."""

    @abstractmethod
    def _request(self, system: str, prompt: str, form: Form) -> dict[str, Any]:
        """Return the request in a form, without what the user adds."""

    @abstractmethod
    def _read(self, document: Any) -> Completion | None:
        """Return the answer in a document; None when there is none in it."""

    def _written(self, system: str) -> int:
        """Return the most tokens that a call can write to the server's cache at a price of its own."""
        return 0

    def ask(self, system: str, prompt: str) -> Reply:
        """Answer one prompt.

        Raises ModelError when the server cannot be reached or refuses, and UnusableAnswer, which carries the reply and its
        cost, when what it sent is empty, refused, cut short, broken off or too long.
        """
        began = self._settings.clock.now()
        answer = self._retrier.call(lambda: self._attempt(system, prompt))
        usage = self._usage(answer, self._settings.clock.now() - began)
        return kept(self.name, answer.text, usage, self._problem(answer))

    def check(self) -> str:
        """Return what is doubtful about the model's name as a sentence, "" for nothing; nothing is paid for.

        Raises ModelError when the server cannot be reached, refuses the key, or does not know the model.
        """
        path, query = self.offered_at, self.all_of_them
        return check_offer(self._client, self._model, path, query, self._public, self._failures, self._try_out)

    def worst_case(self, system: str, prompt: str) -> Usage:
        """Return the most that asking this can cost: a token is at least a byte, and the answer is limited."""
        tokens_in, tokens_out = _bytes(system) + _bytes(prompt) + TEMPLATE, self._settings.tokens_out
        return Usage(self.name, 1, tokens_in, tokens_out, self._price(tokens_in, tokens_out, 0, self._written(system)))

    def _attempt(self, system: str, prompt: str) -> Completion:
        try:
            answer = self._learning(system, prompt)
        except Exception as error:
            raise self._failures.explained(error, self._settings.seconds) from None  # the chain would show the key
        return replace(answer, text=hide(answer.text, [s for s in self._secrets if len(s) >= LEAST_SECRET]))

    def _learning(self, system: str, prompt: str) -> Completion:
        """Ask in the form that the server took last; one that it refuses is changed as it says, and what it takes is kept."""
        tried, tokens = [self._form], self._form.tokens
        while True:
            form = tried[-1]
            try:
                answer = self._ask_as(form, system, prompt)
            except Refused as error:
                may_be = may_be_learned(error.status, error.body) and len(tried) <= LESSONS
                better = learned(form, error.body, tried) if may_be else None
                if better is None:
                    raise
                tokens = tokens if is_of_one_call(error.body) else better.tokens
                tried.append(better)
            else:
                self._form = replace(form, tokens=tokens)
                return answer

    def _ask_as(self, form: Form, system: str, prompt: str) -> Completion:
        request = merged(self._request(system, prompt, form), self._settings.extra_body)
        body = self._client.post(self.asked_at, request, MOST_OF_A_STREAM if form.stream else MOST)
        document = document_in(body)
        answer, refused = self._read(document), inside(document, body)
        if refused and (answer is None or not (answer.text or answer.tokens_in or answer.tokens_out)):
            raise refused
        if answer is None:
            raise Passing(self._failures.no_answer(body))
        return answer

    def _try_out(self) -> None:
        """Ask nothing, to see whether the server takes the model's name: there is no message to answer."""
        body = self._client.post(self.asked_at, {**self._request("", "", replace(self._form, tokens=1)), "messages": []})
        refused = inside(document_in(body), body)
        if refused:
            raise refused

    def _problem(self, answer: Completion) -> str:
        if answer.refusal:
            return f"{self.name} refused: {self._failures.clean(answer.refusal)}"
        finish = answer.finish.lower()
        if answer.whole or not (finish or answer.fault or answer.text.strip()):
            return ""
        if finish in CUT:
            limit = f"this program allows {self._form.tokens:,}; the model's own context may be smaller"
            return f"the answer of {self.name} was cut short after {answer.tokens_out:,} tokens ({limit})"
        if finish in WITHHELD:
            return f"the answer of {self.name} was withheld by the server's content filter"
        said = self._failures.clean(": ".join(part for part in (answer.finish, answer.fault) if part))
        return f"the answer of {self.name} broke off ({said or 'the server does not say that it ended'})"

    def _usage(self, answer: Completion, seconds: float) -> Usage:
        counts = answer.tokens_in, answer.tokens_out, answer.cached
        usd = self._price(*counts, answer.written) if answer.counted else None
        return Usage(self.name, 1, answer.tokens_in, answer.tokens_out, usd, seconds, answer.cached, answer.reasoning)

    def _price(self, tokens_in: int, tokens_out: int, cached: int, written: int) -> float | None:
        own = self._settings.prices.get(self.name)
        if own is not None:
            return own.of(tokens_in, tokens_out, cached)
        return price(without_secrets(self._url), self._model, tokens_in, tokens_out, cached, written)


def merged(request: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request with what the user adds; tables are merged, and what is ours stays ours, the stream's switch too."""
    added = {name: value for name, value in more.items() if name != "stream"}
    both = {name: {**value, **request[name]} for name, value in added.items() if _are_tables(value, request.get(name))}
    return {**added, **request, **both}


def _are_tables(one: object, other: object) -> bool:
    return isinstance(one, dict) and isinstance(other, dict)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
