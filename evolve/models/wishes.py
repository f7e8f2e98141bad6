"""Learns from a refusal what a server wants a request to hold: another name, a smaller limit, a stream, no system role."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

LESSONS = 6  # refusals of one request that are learnt from
LEAST = 256  # tokens; an answer that may have fewer holds no method
LIMITS = ("max_tokens", "max_completion_tokens")  # the names that the limit of an answer has
_LIMIT = re.compile(r"\bmax_(?:[a-z]+_)*tokens\b")
_REFUSED = re.compile(
    r"unsupported|not (?:be )?(?:supported|permitted|allowed|recogni[sz]ed|accepted)|unknown|unrecogni[sz]ed|unexpected|extra|"
    r"deprecated|instead|required|missing|additional|does not support|invalid (?:parameter|argument|field|key|name)|must use"
)
_TOO_LARGE = re.compile(
    r"too (?:large|high|long|big|many)|at most|maximum|range|exceed|less than|greater than|up to|limit|[<>]"
)
_SYSTEM = re.compile(
    r"\b(?:system|developer)\b['\"`]?.{0,40}?\b(?:role|messages?|prompts?|instructions?)\b|"
    r"\broles?\b.{0,60}?\b(?:system|developer)\b|roles must alternate|first message must"
)


@dataclass(frozen=True)
class Form:
    """What a request holds beside its texts.

    Attributes:
        tokens: the most tokens of an answer.
        limit: the name of that limit.
        stream: whether the answer comes as a stream of events.
        usage: whether a stream is asked to count its tokens.
        system: whether the system text is a message of its own, or the first part of the prompt.
        cached: whether the system text is marked for the cache.
        thinking: "adaptive" when the model decides for itself how long to think, "enabled" when it is told, "" for no thought.
    """

    tokens: int
    limit: str = LIMITS[0]
    stream: bool = False
    usage: bool = True
    system: bool = True
    cached: bool = True
    thinking: Literal["", "enabled", "adaptive"] = ""


def learned(form: Form, said: str, tried: Collection[Form] = ()) -> Form | None:
    """Return the form that a refusal of this one asks for; None when it asks for none that is known, or that was tried."""
    words = said.lower()
    changed = (rule(form, words) for rule in RULES)
    return next((new for new in changed if new not in (None, form, *tried)), None)


def is_of_one_call(said: str) -> bool:
    """Tell whether a refusal is about the length of this prompt, so that later ones may have longer answers."""
    return bool(re.search(r"context|prompt|input|messages", said.lower()))


def _usage(form: Form, words: str) -> Form | None:
    return replace(form, usage=False) if re.search("stream_options|include_usage", words) else None


def _limit(form: Form, words: str) -> Form | None:
    """Give the limit the name that is asked for; it is never left out, for it bounds the cost."""
    names = _LIMIT.findall(words)
    if not names or not _REFUSED.search(words):
        return None
    others = [name for name in (*names, *LIMITS) if name != form.limit]
    return replace(form, limit=others[0])


def _named(form: Form, words: str) -> Form | None:
    """Lower the limit to the largest number that is named and smaller."""
    if not _is_too_large(words):
        return None
    numbers = [int(found.replace(",", "")) for found in re.findall(r"(?<![\w.-])\d[\d,]{1,11}(?![\w-])", words)]
    fitting = [number for number in numbers if LEAST <= number < form.tokens]
    return replace(form, tokens=max(fitting)) if fitting else None


def _half(form: Form, words: str) -> Form | None:
    return replace(form, tokens=form.tokens // 2) if _is_too_large(words) and form.tokens >= 2 * LEAST else None


def _is_too_large(words: str) -> bool:
    return "token" in words and bool(_TOO_LARGE.search(words))


def _stream(form: Form, words: str) -> Form | None:
    return replace(form, stream=not form.stream) if re.search(r"\bstream|non-?stream", words) else None


def _system(form: Form, words: str) -> Form | None:
    return replace(form, system=False) if _SYSTEM.search(words) else None


def _cached(form: Form, words: str) -> Form | None:
    return replace(form, cached=False) if "cache_control" in words else None


def _thinking(form: Form, words: str) -> Form | None:
    if not form.thinking or not re.search(r"thinking|budget_tokens|adaptive", words):
        return None
    return replace(form, thinking="enabled" if form.thinking == "adaptive" else "adaptive")


RULES: tuple[Callable[[Form, str], Form | None], ...] = (_usage, _cached, _thinking, _named, _limit, _half, _stream, _system)
