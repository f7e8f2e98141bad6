"""Reading what a chat-completions server sent, whatever it sent: nothing in it is trusted to have its promised type."""

from __future__ import annotations

import json

from evolve.models.answer import Answer, count, table, text


def read_answer(body: str) -> Answer | None:
    """Return the answer in a response body, its text empty when there is no choice in it; None when it is no completion."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("choices"), list):
        return None
    choice = table(document["choices"][0]) if document["choices"] else {}
    message, usage = table(choice.get("message")), table(document.get("usage"))
    tokens_in, tokens_out = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    cached = count(table(usage.get("prompt_tokens_details")).get("cached_tokens"))
    if cached is None:  # DeepSeek's name for it
        cached = count(usage.get("prompt_cache_hit_tokens"))
    reasoning = count(table(usage.get("completion_tokens_details")).get("reasoning_tokens"))
    return Answer(
        text=text(message.get("content")),
        finish=text(choice.get("finish_reason")),
        refusal=text(message.get("refusal")),
        tokens_in=tokens_in or 0,
        tokens_out=tokens_out or 0,
        cached=min(cached or 0, tokens_in or 0),
        written=0,
        reasoning=min(reasoning or 0, tokens_out or 0),
        counted=tokens_in is not None and tokens_out is not None,
    )
