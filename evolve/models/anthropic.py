"""Calls Claude by Anthropic's own protocol, with the system prompt cached and, if asked for, thoughts before the answer."""

from __future__ import annotations

import json
import os
import random
import re
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from evolve.errors import UsageError
from evolve.models.answers import Answer, count, table, text
from evolve.models.endpoint import Endpoint
from evolve.models.hosted import TEMPLATE, Hosted
from evolve.models.http import connect

if TYPE_CHECKING:
    from evolve.models import Settings

ANTHROPIC = Endpoint("https://api.anthropic.com", "ANTHROPIC_API_KEY", "claude-haiku-4-5")
LEAST_THOUGHT = 1024  # tokens; the API refuses a smaller budget
ADAPTIVE = (4, 6)  # the first version that decides by itself how long to think; later ones refuse a budget
CUT = ("max_tokens", "model_context_window_exceeded")
_VERSION = re.compile(r"(?<![\d.])(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")


class AnthropicModel(Hosted):
    """A Claude model. Safe to use from several threads."""

    no_key = "ANTHROPIC_BASE_URL for a server on this machine"
    unknown = "check --model, and ANTHROPIC_BASE_URL if it is set"

    def __init__(self, name: str, base_url: str | None, rng: random.Random, settings: Settings) -> None:
        """`base_url` is for OpenAI-compatible servers; ANTHROPIC_BASE_URL names another one here."""
        if settings.thinking and not LEAST_THOUGHT <= settings.thinking < settings.tokens_out:
            limits = f"from {LEAST_THOUGHT:,} to {settings.tokens_out - 1:,} (below the tokens an answer may have)"
            raise UsageError(f"thinking takes {limits}, or 0 for none; got {settings.thinking:,}")
        self._thinking = settings.thinking
        url = os.environ.get("ANTHROPIC_BASE_URL") or ANTHROPIC.url
        super().__init__(f"anthropic:{name}", name, url, ANTHROPIC.variable, rng, settings)

    @classmethod
    def found_keys(cls) -> list[str]:
        """Return the flags that would use a key found in the environment."""
        line = f"--model anthropic:{ANTHROPIC.example}  (with the key in {ANTHROPIC.variable})"
        return [line] if ANTHROPIC.has_key else []

    def _connect(self) -> tuple[Any, Any]:
        options = {"api_key": self._key, "base_url": self._url}
        return connect("anthropic", "Anthropic", self.name, self._settings.seconds, **options)

    def _create(self, system: str, prompt: str) -> AbstractContextManager[Any]:
        request: dict[str, Any] = {
            "model": self._model,
            "max_tokens": self._settings.tokens_out,
            "messages": [{"role": "user", "content": prompt}],
        }
        if system:  # the same in every call of a run, so it is read from the cache from the second one on
            request["system"] = [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]
        if self._thinking:
            request["thinking"] = thinking(self._model, self._thinking)
        call: AbstractContextManager[Any] = self._client.messages.with_streaming_response.create(**request)
        return call

    def _read(self, body: str) -> Answer | None:
        return read_message(body)

    def _written(self, system: str) -> int:
        return len(system.encode("utf-8", "replace")) + TEMPLATE


def thinking(model: str, budget: int) -> dict[str, Any]:
    """Return the request's thinking: a budget before version 4.6, which knows nothing else; later ones decide themselves."""
    found = _VERSION.search(model)
    version = (int(found[1]), int(found[2] or 0)) if found else ADAPTIVE
    return {"type": "adaptive"} if version >= ADAPTIVE else {"type": "enabled", "budget_tokens": budget}


def read_message(body: str) -> Answer | None:
    """Return the answer in a response body, its text empty when it has no text blocks; None when it is no message."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("content"), list):
        return None
    usage, stop = table(document.get("usage")), text(document.get("stop_reason"))
    read = count(usage.get("cache_read_input_tokens")) or 0
    written = count(usage.get("cache_creation_input_tokens")) or 0
    plain, tokens_out = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    reasoning = count(table(usage.get("output_tokens_details")).get("thinking_tokens")) or 0
    explained = text(table(document.get("stop_details")).get("explanation"))
    return Answer(
        text=text([block for block in document["content"] if table(block).get("type") == "text"]),
        finish="length" if stop in CUT else stop,
        refusal=(explained or "it gave no reason") if stop == "refusal" else "",
        tokens_in=(plain or 0) + read + written,
        tokens_out=tokens_out or 0,
        cached=read,
        written=written,
        reasoning=min(reasoning, tokens_out or 0),
        counted=plain is not None and tokens_out is not None,
    )
