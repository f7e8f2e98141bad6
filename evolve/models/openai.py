"""Calls models behind an OpenAI-compatible endpoint: OpenAI, OpenRouter, DeepSeek, Gemini, or your own server by --base-url."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any

from evolve.models.answers import Completion, read_answer
from evolve.models.endpoint import Endpoint, host, is_loopback
from evolve.models.hosted import Hosted
from evolve.models.wishes import LIMITS, Form

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

    no_key = "give --base-url for a server on this machine or in your network; one elsewhere that needs none takes any word"
    unknown = "check --model, and that --base-url ends in /v1"
    asked_at, offered_at = "/chat/completions", "/models"

    def __init__(self, name: str, base_url: str | None, rng: random.Random, settings: Settings) -> None:
        url = base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI.url
        known = next((endpoint for endpoint in ENDPOINTS if host(endpoint.url) == host(url)), None)
        variable = (known or OPENAI).variable
        super().__init__(f"openai:{name}", name, url, variable, known is not None, rng, settings)

    @classmethod
    def found_keys(cls) -> list[str]:
        """Return the flags that would use a key found in the environment."""
        lines = []
        for endpoint in ENDPOINTS:
            if endpoint.has_key:
                base = "" if endpoint is OPENAI else f" --base-url {endpoint.url}"
                lines.append(f"--model openai:{endpoint.example}{base}  (with the key in {endpoint.variable})")
        return lines

    def _headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _first_form(self) -> Form:
        # OpenAI's reasoning models refuse the old name of the limit; other servers do not all know the new one
        limit = LIMITS[host(self._url) == host(OPENAI.url)]
        return Form(self._settings.tokens_out, limit, stream=self._settings.extra_body.get("stream") is True)

    def _request(self, system: str, prompt: str, form: Form) -> dict[str, Any]:
        apart = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
        together = [{"role": "user", "content": f"{system}\n\n{prompt}"}]
        messages = apart if form.system and system else together if system else apart[1:]
        request: dict[str, Any] = {"model": self._model, "messages": messages, form.limit: form.tokens}
        if form.stream:
            request["stream"] = True
            request |= {"stream_options": {"include_usage": True}} if form.usage else {}
        return request

    def _read(self, document: Any) -> Completion | None:
        return read_answer(document)


def is_familiar(url: str) -> bool:
    """Tell whether a base URL is on this machine or a known provider's."""
    return is_loopback(url) or host(url) in map(host, (e.url for e in ENDPOINTS))
