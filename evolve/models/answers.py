"""Reads what a chat-completions server sent, whatever it sent: nothing in it is trusted to have its promised type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archives.nouns import Usage
from evolve.nouns import Reply, UnusableAnswer

SAID = (None, "text", "output_text", "text_delta")  # types of parts
ENDED = "ended"  # in a document that was streamed: whether its stream came to the end that the protocol has
NORMAL = frozenset(("stop", "eos", "eos_token", "stop_sequence", "end_turn", "complete", "completed"))
CUT = frozenset(("length", "max_tokens", "model_length", "max_output_tokens", "model_context_window_exceeded"))
WITHHELD = frozenset(("content_filter", "safety", "recitation", "sensitive", "prohibited_content", "blocklist"))


def read_answer(document: Any) -> Completion | None:
    """Return the answer in a document, its text empty when there is no choice in it; None when it is no completion."""
    if not isinstance(document, dict) or not isinstance(document.get("choices"), list):
        return None
    choice = table(document["choices"][0]) if document["choices"] else {}
    message, usage = table(choice.get("message")), table(document.get("usage"))
    tokens_in, tokens_out = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    cached = count(table(usage.get("prompt_tokens_details")).get("cached_tokens"))
    if cached is None:  # DeepSeek's name for it
        cached = count(usage.get("prompt_cache_hit_tokens"))
    reasoning = count(table(usage.get("completion_tokens_details")).get("reasoning_tokens"))
    finish, fault = text(choice.get("finish_reason")), choice.get("error") or document.get("error")
    return Completion(
        text=text(message.get("content")),
        finish=finish,
        whole=(finish.lower() in NORMAL or (not finish and document.get(ENDED) is True)) and not fault,
        fault=text(table(fault).get("message")) or text(fault),
        refusal=text(message.get("refusal")),
        tokens_in=tokens_in or 0,
        tokens_out=tokens_out or 0,
        cached=min(cached or 0, tokens_in or 0),
        written=0,
        reasoning=min(reasoning or 0, tokens_out or 0),
        counted=tokens_in is not None and tokens_out is not None,
    )


LONGEST = 100_000  # characters of a reply that are kept; a method has at most 32 kB
MOST_TOKENS = 10**9  # of one call; a larger count is no count


@dataclass(frozen=True)
class Completion:
    """What a server sent.

    Attributes:
        text: what the model said.
        finish: why it stopped, as the server calls it; "" when it does not say.
        whole: whether that is an end that an answer has when nothing went wrong.
        fault: what went wrong while it was written, in the server's words; "" for nothing.
        refusal: its refusal, when it made one.
        tokens_in: tokens of the prompt.
        tokens_out: tokens of the answer, reasoning included.
        cached: those of `tokens_in` that were read from the server's cache.
        written: those of `tokens_in` that were written to it.
        reasoning: those of `tokens_out` that the text does not show.
        counted: whether the server said how many tokens there were.
    """

    text: str
    finish: str
    whole: bool
    fault: str
    refusal: str
    tokens_in: int
    tokens_out: int
    cached: int
    written: int
    reasoning: int
    counted: bool


def kept(name: str, text: str, usage: Usage, problem: str = "") -> Reply:
    """Return the reply. Raises UnusableAnswer, which carries it, when there is a problem or its text is empty or too long."""
    reply = Reply(text[:LONGEST], usage)
    if not problem and len(text) > LONGEST:
        problem = f"the answer of {name} was too long: it is cut after {LONGEST:,} characters"
    if not problem and not text.strip():
        problem = f"the answer of {name} was empty"
    if problem:
        raise UnusableAnswer(problem, reply)
    return reply


def table(value: Any) -> dict[str, Any]:
    """Return a JSON object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:
    """Return a JSON string, or the joined texts of a list of parts, without thoughts; "" for anything else."""
    if isinstance(value, list):  # some servers send a list of parts
        value = "".join(text(part.get("text")) for part in map(table, value) if is_said(part))
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate is legal JSON, and no database stores it


def is_said(part: dict[str, Any]) -> bool:
    """Tell whether a part of an answer, or of its stream, is said, not thought: it is of a type for that, or of none."""
    return part.get("type") in SAID and not part.get("thought")


def count(value: Any) -> int | None:
    """Return a number of tokens; None for anything that cannot be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS else None
