"""Calls Claude by Anthropic's own protocol, with the system prompt cached and, if asked for, thoughts before the answer."""

from __future__ import annotations

import os
import random
import re
from typing import TYPE_CHECKING, Any

from evolve.errors import UsageError
from evolve.models.answers import Completion, count, table, text
from evolve.models.endpoint import Endpoint, host
from evolve.models.hosted import TEMPLATE, Hosted
from evolve.models.wishes import Form

if TYPE_CHECKING:
    from evolve.models import Settings

ANTHROPIC = Endpoint("https://api.anthropic.com", "ANTHROPIC_API_KEY", "claude-haiku-4-5")
LEAST_THOUGHT = 1024  # tokens; the API refuses a smaller budget
ADAPTIVE = (4, 6)  # the first version that decides by itself how long to think; later ones refuse a budget
VERSION = "2023-06-01"  # of the protocol
NORMAL = ("end_turn", "stop_sequence")
_VERSION = re.compile(r"(?<![\d.])(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")


class AnthropicModel(Hosted):
    """A Claude model. Safe to use from several threads."""

    no_key = "ANTHROPIC_BASE_URL for a server on this machine or in your network"
    unknown = "check --model, and ANTHROPIC_BASE_URL if it is set"
    asked_at, offered_at, all_of_them = "/v1/messages", "/v1/models", "limit=1000"

    def __init__(self, name: str, base_url: str | None, rng: random.Random, settings: Settings) -> None:
        """`base_url` is for OpenAI-compatible servers; ANTHROPIC_BASE_URL names another one here."""
        if settings.thinking and not LEAST_THOUGHT <= settings.thinking < settings.tokens_out:
            limits = f"from {LEAST_THOUGHT:,} to {settings.tokens_out - 1:,} (below the tokens an answer may have)"
            raise UsageError(f"thinking takes {limits}, or 0 for none; got {settings.thinking:,}")
        self._thinking = settings.thinking
        url = os.environ.get("ANTHROPIC_BASE_URL") or ANTHROPIC.url
        public = host(url) == host(ANTHROPIC.url)
        super().__init__(f"anthropic:{name}", name, url, ANTHROPIC.variable, public, rng, settings)

    @classmethod
    def found_keys(cls) -> list[str]:
        """Return the flags that would use a key found in the environment."""
        line = f"--model anthropic:{ANTHROPIC.example}  (with the key in {ANTHROPIC.variable})"
        return [line] if ANTHROPIC.has_key else []

    def _headers(self, key: str) -> dict[str, str]:
        return {"anthropic-version": VERSION} | ({"x-api-key": key} if key else {})

    def _first_form(self) -> Form:
        stream = self._settings.extra_body.get("stream") is True
        thinking: Any = "" if not self._thinking else "adaptive" if is_adaptive(self._model) else "enabled"
        return Form(self._settings.tokens_out, stream=stream, thinking=thinking)

    def _request(self, system: str, prompt: str, form: Form) -> dict[str, Any]:
        together = f"{system}\n\n{prompt}" if system and not form.system else prompt
        request: dict[str, Any] = {
            "model": self._model,
            form.limit: form.tokens,
            "messages": [{"role": "user", "content": together}],
        }
        if system and form.system:  # the same in every call of a run, so it is read from the cache from the second one on
            block = {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}
            request["system"] = [block] if form.cached else system
        if form.thinking == "adaptive":
            request["thinking"] = {"type": "adaptive"}
        elif form.thinking and form.tokens > LEAST_THOUGHT:
            request["thinking"] = {"type": "enabled", "budget_tokens": min(self._thinking, form.tokens - 1)}
        return request | ({"stream": True} if form.stream else {})

    def _read(self, document: Any) -> Completion | None:
        return read_message(document)

    def _written(self, system: str) -> int:
        return len(system.encode("utf-8", "replace")) + TEMPLATE


def is_adaptive(model: str) -> bool:
    """Tell whether a model decides by itself how long to think: before version 4.6 it knows nothing but a budget."""
    found = _VERSION.search(model)
    return ((int(found[1]), int(found[2] or 0)) if found else ADAPTIVE) >= ADAPTIVE


def read_message(document: Any) -> Completion | None:
    """Return the answer in a document, its text empty when it has no text blocks; None when it is no message."""
    if not isinstance(document, dict) or not isinstance(document.get("content"), list):
        return None
    usage, stop = table(document.get("usage")), text(document.get("stop_reason"))
    read = count(usage.get("cache_read_input_tokens")) or 0
    written = count(usage.get("cache_creation_input_tokens")) or 0
    plain, tokens_out = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    reasoning = count(table(usage.get("output_tokens_details")).get("thinking_tokens")) or 0
    explained = text(table(document.get("stop_details")).get("explanation"))
    return Completion(
        text=text([block for block in document["content"] if table(block).get("type") == "text"]),
        finish=stop,
        whole=stop in NORMAL and not document.get("error"),
        fault=text(table(document.get("error")).get("message")),
        refusal=(explained or "it gave no reason") if stop == "refusal" else "",
        tokens_in=(plain or 0) + read + written,
        tokens_out=tokens_out or 0,
        cached=read,
        written=written,
        reasoning=min(reasoning, tokens_out or 0),
        counted=plain is not None and tokens_out is not None,
    )
