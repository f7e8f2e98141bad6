"""Reading what a chat-completions server sent, whatever it sent: nothing in it is trusted to have its promised type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LOOKS_LIKE_A_KEY = re.compile(r"\b(?:sk-|pk-|AIza)[-_A-Za-z0-9*.]{4,}|(?<=Bearer )\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """A chat completion.

    Attributes:
        text: what the model said.
        finish: why it stopped: "stop", "length", "content_filter", or whatever else the server calls it.
        refusal: its refusal, when it made one.
        tokens_in: tokens of the prompt.
        tokens_out: tokens of the answer, reasoning included.
        cached: those of `tokens_in` that were read from the server's cache.
        counted: whether the server said how many tokens there were.
    """

    text: str
    finish: str
    refusal: str
    tokens_in: int
    tokens_out: int
    cached: int
    counted: bool


def read_answer(body: str) -> Answer | None:
    """Return the answer in a response body, its text empty when there is no choice in it; None when it is no completion."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("choices"), list):
        return None
    choice = _table(document["choices"][0]) if document["choices"] else {}
    message, usage = _table(choice.get("message")), _table(document.get("usage"))
    return Answer(
        text=_text(message.get("content")),
        finish=_text(choice.get("finish_reason")),
        refusal=_text(message.get("refusal")),
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
        cached=_count(_table(usage.get("prompt_tokens_details")).get("cached_tokens")),
        counted="prompt_tokens" in usage and "completion_tokens" in usage,
    )


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return a text without these secrets."""
    for secret in secrets:
        text = text.replace(secret, "[key]")
    return text


def quote(text: str, secrets: Iterable[str], limit: int = 200) -> str:
    """Return a stranger's text as it may stand in a sentence: one printable line, cut, without keys."""
    text = hide(text, secrets)
    text = LOOKS_LIKE_A_KEY.sub("[key]", text)
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, list):  # some servers send a list of parts
        value = "".join(_text(_table(part).get("text")) for part in value)
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate is legal JSON, and no database stores it


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
