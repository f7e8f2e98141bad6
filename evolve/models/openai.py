"""Calls models behind an OpenAI-compatible endpoint: OpenAI, OpenRouter, DeepSeek, Gemini, or your own server by --base-url."""

from __future__ import annotations

import os
import random
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from evolve.models.answers import Answer, read_answer
from evolve.models.endpoint import Endpoint, host, is_loopback
from evolve.models.hosted import Hosted
from evolve.models.http import connect

if TYPE_CHECKING:
    from evolve.models import Settings

OPENAI = Endpoint("https://api.openai.com/v1", "OPENAI_API_KEY", "gpt-5-mini")
ENDPOINTS = (
    OPENAI,
    Endpoint("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "openai/gpt-5-mini"),
    Endpoint("https://api.deepseek.com", "DEEPSEEK_API_KEY", "deepseek-chat"),
    Endpoint("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY", "gemini-2.5-flash"),
)


class OpenAIModel(Hosted):
    """A chat model. Safe to use from several threads."""

    no_key = "give --base-url for a server on this machine"
    unknown = "check --model, and that --base-url ends in /v1"

    def __init__(self, name: str, base_url: str | None, rng: random.Random, settings: Settings) -> None:
        url = base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI.url
        variable = next((e.variable for e in ENDPOINTS if host(e.url) == host(url)), OPENAI.variable)
        super().__init__(f"openai:{name}", name, url, variable, rng, settings)

    @classmethod
    def found_keys(cls) -> list[str]:
        """Return the flags that would use a key found in the environment."""
        lines = []
        for endpoint in ENDPOINTS:
            if endpoint.has_key:
                base = "" if endpoint is OPENAI else f" --base-url {endpoint.url}"
                lines.append(f"--model openai:{endpoint.example}{base}  (with the key in {endpoint.variable})")
        return lines

    def _connect(self) -> tuple[Any, Any]:
        return connect("openai", "OpenAI", self.name, self._settings.seconds, api_key=self._key, base_url=self._url)

    def _create(self, system: str, prompt: str) -> AbstractContextManager[Any]:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
        # OpenAI's reasoning models refuse the old name of the limit; other servers do not all know the new one.
        limit = "max_completion_tokens" if host(self._url) == host(OPENAI.url) else "max_tokens"
        request = {"model": self._model, "messages": messages, limit: self._settings.tokens_out}
        call: AbstractContextManager[Any] = self._client.chat.completions.with_streaming_response.create(**request)
        return call

    def _read(self, body: str) -> Answer | None:
        return read_answer(body)


def is_familiar(url: str) -> bool:
    """Tell whether a base URL is on this machine or a known provider's."""
    return is_loopback(url) or host(url) in map(host, (e.url for e in ENDPOINTS))
