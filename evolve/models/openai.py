"""Models behind an OpenAI-compatible endpoint: OpenAI, OpenRouter, DeepSeek, Gemini, or a server of your own by --base-url."""

from __future__ import annotations

import base64
import ipaddress
import os
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from archives.nouns import Usage
from evolve.errors import ModelError, UsageError
from evolve.models.chat import Answer, hide, quote, read_answer
from evolve.models.retry import PASSING, Passing, Retrier, retry_after
from evolve.models.usage import UnusableAnswer, price
from evolve.nouns import Reply

if TYPE_CHECKING:
    from evolve.models import Settings


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


OPENAI = Endpoint("https://api.openai.com/v1", "OPENAI_API_KEY", "gpt-5-mini")
ENDPOINTS = (
    OPENAI,
    Endpoint("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "openai/gpt-5-mini"),
    Endpoint("https://api.deepseek.com", "DEEPSEEK_API_KEY", "deepseek-chat"),
    Endpoint("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY", "gemini-2.5-flash"),
)
LEAST_SECRET = 8  # characters; a shorter password cannot be told from the ordinary words of an answer
NO_KEY = "no-key-needed"  # the SDK refuses to start without one; a server on this machine does not look at it


class OpenAIModel:
    """A chat model. Safe to use from several threads."""

    def __init__(self, name: str, base_url: str | None, rng: random.Random, settings: Settings) -> None:
        self.name = f"openai:{name}"
        self._model, self._settings = name, settings
        self._url = _checked(base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI.url)
        self._shown = _without_secrets(self._url)
        self._variable = next((e.variable for e in ENDPOINTS if _host(e.url) == _host(self._url)), OPENAI.variable)
        self._key = _key(self.name, self._variable, _is_loopback(self._url))
        self._secrets = _secrets(self._key, self._url)
        self._retrier = Retrier(self._shown, settings.patience, rng, settings.clock)
        self._sdk, self._client = self._connect()

    @classmethod
    def found_keys(cls) -> list[str]:
        """Return the flags that would use a key found in the environment."""
        lines = []
        for endpoint in ENDPOINTS:
            if os.environ.get(endpoint.variable, "").strip():
                base = "" if endpoint is OPENAI else f" --base-url {endpoint.url}"
                lines.append(f"--model openai:{endpoint.example}{base}  (with the key in {endpoint.variable})")
        return lines

    def ask(self, system: str, prompt: str) -> Reply:
        """Answer one prompt.

        Raises ModelError when the server cannot be reached or refuses, and UnusableAnswer, which carries the reply and its
        cost, when what it sent is empty, refused or cut short.
        """
        began = self._settings.clock.now()
        answer = self._retrier.call(lambda: self._attempt(system, prompt))
        reply = Reply(answer.text, self._usage(answer, self._settings.clock.now() - began))
        if answer.refusal:
            raise UnusableAnswer(f"{self.name} refused: {self._clean(answer.refusal)}", reply)
        if answer.finish == "length":
            raise UnusableAnswer(
                f"the answer of {self.name} was cut short after {answer.tokens_out:,} tokens "
                f"(this program allows {self._settings.tokens_out:,}; the model's own context may be smaller)",
                reply,
            )
        if answer.finish == "content_filter":
            raise UnusableAnswer(f"the answer of {self.name} was withheld by the server's content filter", reply)
        if not answer.text.strip():
            raise UnusableAnswer(f"the answer of {self.name} was empty", reply)
        return reply

    def worst(self, system: str, prompt: str) -> Usage:
        """Return the most that asking this can cost: a token is at least a byte, and the answer is limited."""
        tokens_in, tokens_out = len((system + prompt).encode("utf-8", "replace")), self._settings.tokens_out
        return Usage(self.name, 1, tokens_in, tokens_out, price(self._url, self._model, tokens_in, tokens_out))

    def _connect(self) -> tuple[Any, Any]:
        try:
            import openai
        except ImportError as error:
            raise UsageError(f"{self.name} needs the extra llm: run `pip install -e '.[llm]'` in the checkout") from error
        timeout = self._settings.seconds
        return openai, openai.OpenAI(api_key=self._key, base_url=self._url, max_retries=0, timeout=timeout)

    def _attempt(self, system: str, prompt: str) -> Answer:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
        # OpenAI's reasoning models refuse the old name of the limit; other servers do not all know the new one.
        limit = "max_completion_tokens" if _host(self._url) == _host(OPENAI.url) else "max_tokens"
        request = {"model": self._model, "messages": messages, limit: self._settings.tokens_out}
        try:
            response = self._client.chat.completions.with_raw_response.create(**request)
            body = response.text
        except self._sdk.OpenAIError as error:
            raise self._explained(error) from None  # the chain would show the server's words with the key still in them
        answer = read_answer(body)
        if answer is None:
            raise Passing(f"{self._shown} sent something that is not a chat completion: {self._clean(body)}")
        return replace(answer, text=hide(answer.text, [s for s in self._secrets if len(s) >= LEAST_SECRET]))

    def _explained(self, error: Exception) -> Exception:
        """Turn an error of the SDK into Passing or ModelError, with a sentence."""
        if isinstance(error, self._sdk.APITimeoutError):
            return Passing(f"{self._shown} did not answer within {self._settings.seconds:g} s")
        if isinstance(error, self._sdk.APIConnectionError):
            reason = self._clean(str(error.__cause__ or error))
            return Passing(f"{self._shown} cannot be reached ({reason}): is it running, and is the URL right?")
        if not isinstance(error, self._sdk.APIStatusError):
            return ModelError(f"{self._shown} sent something that cannot be used: {self._clean(str(error))}")
        code, said = error.status_code, self._clean(_message(error))
        if error.code == "insufficient_quota":  # a 429 that no waiting will cure
            return ModelError(f"the account of {self._variable} at {self._shown} has no credit left ({code}: {said})")
        if code in PASSING or code >= 500:
            wait = retry_after(error.response.headers)
            return Passing(f"{self._shown} is not serving {self.name} now ({code}: {said})", busy=code == 429, retry_after=wait)
        if code in (401, 403):
            return ModelError(f"{self._shown} refused the key ({code}: {said}): check the variable {self._variable}")
        if code == 404:
            return ModelError(
                f"{self._shown} does not know {self._model} ({code}: {said}): check --model, and that --base-url ends in /v1"
            )
        return ModelError(f"{self._shown} refused the request ({code}: {said})")

    def _usage(self, answer: Answer, seconds: float) -> Usage:
        usd = price(self._url, self._model, answer.tokens_in, answer.tokens_out, answer.cached) if answer.counted else None
        return Usage(self.name, 1, answer.tokens_in, answer.tokens_out, usd, seconds)

    def _clean(self, text: str) -> str:
        return quote(text, self._secrets)


def _checked(url: str) -> str:
    """Return a base URL without its trailing slash. Raises UsageError when it is not one."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"cannot use {_without_secrets(url)!r} as a base URL: write it as http://HOST:PORT/v1")
    return url.strip().rstrip("/")


def _without_secrets(url: str) -> str:
    """Return a URL as it may be shown: without user, password, query and fragment."""
    scheme, slashes, rest = url.strip().partition("://")
    rest = rest.partition("?")[0].partition("#")[0]
    return scheme + slashes + rest.rpartition("@")[2] if slashes else scheme.rpartition("@")[2]


def has_secrets(url: str) -> bool:
    """Tell whether a base URL holds what may not be stored: a user, a password, or a query, which may be a key."""
    return url.strip().rstrip("/#?") != _without_secrets(url).rstrip("/")


def is_familiar(url: str) -> bool:
    """Tell whether a base URL is on this machine or a known provider's."""
    return _is_loopback(url) or _host(url) in map(_host, (e.url for e in ENDPOINTS))


def _secrets(key: str, url: str) -> tuple[str, ...]:
    """Return every form in which the key, or the URL's user and password, may come back from a server, the longest first."""
    parts = urlsplit(url)
    user, password = parts.username or "", parts.password or ""
    pair = f"{unquote(user)}:{unquote(password)}"
    found = {key, parts.query, password, unquote(password), pair, *([] if password else [user, unquote(user)])}
    found.add(base64.b64encode(pair.encode()).decode())
    return tuple(sorted((s for s in found - {NO_KEY, "", ":", "Og=="}), key=len, reverse=True))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_loopback(url: str) -> bool:
    host = _host(url)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key(model: str, variable: str, local: bool) -> str:
    key = os.environ.get(variable, "").strip()
    if key and not (key.isascii() and key.isprintable()):
        raise UsageError(f"the key in {variable} contains characters that no key has: set it again")
    if key or local:
        return key or NO_KEY
    raise UsageError(f"{model} needs a key: set {variable}, or give --base-url for a server on this machine")


def _message(error: Any) -> str:
    body = error.body
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        return str(body["message"])
    return str(error.message)
