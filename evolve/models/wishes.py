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
    r"unsupported|not (?:be )?(?:supported|permitted|allowed|recogni[sz]ed|accepted|used|set)|unknown|unrecogni[sz]ed|"
    r"unexpected|extra|deprecated|instead|required|missing|additional|does not support|must (?:use|provide)|not a valid|"
    r"invalid (?:parameter|argument|field|key|name)|no longer|did you mean|cannot both|"
    r"\b(?:use|set|provide|expected)\b[ :'\"`]*(?:max_|stream)"
)
_CLEAR = re.compile(rf"{_REFUSED.pattern}|\bonly\b|input should be|\bmust\b|stream=true")
_FIELDS = re.compile(r"\bmax_(?:[a-z]+_)*tokens\b|\bstream|\bsse\b|\broles?\b|\bsystem|cache_control|thinking|context length")
TELLING = (400, 422)  # statuses of a wish in whatever words
MUTE = (401, 402, 403, 408, 409, 429, 503, 504, 529)  # of the key, the account, the load: no other request would help
_TOO_LARGE = re.compile(
    r"too (?:large|high|long|big|many)|at most|maximum|range|exceed|less than|greater than|up to|limit|[<>]"
)
_SYSTEM = re.compile(
    r"\b(?:system|developer)\b['\"`]?.{0,40}?\b(?:role|messages?|prompts?|instructions?)\b|\bsystem_?instructions?\b|"
    r"\broles?\b.{0,60}?\b(?:system|developer)\b|roles must alternate|first message must|"
    r"\broles?\b.{0,60}?['\"`]?user['\"`]? (?:or|and) ['\"`]?(?:assistant|model)\b|\bonly\b.{0,40}?\broles?\b"
)
_NUMBER = r"(?<![\w.-])(\d[\d,]{0,11})(?![\w-])"
_CONTEXT = re.compile(
    rf"(?:context (?:length|window|size)|max_model_len|n_ctx)[^\d]{{0,40}}?{_NUMBER}|"
    rf"inputs?[`'\"]? tokens.{{0,60}}?<=? {_NUMBER}|\d \+ \d+ > {_NUMBER}"
)
_PROMPT = re.compile(
    rf"{_NUMBER}(?: tokens)? (?:in|from) (?:the |your )?(?:input|prompt|messages?)\b|"
    rf"{_NUMBER} [`'\"]?(?:inputs?|prompt)\b[`'\"]?|{_NUMBER} \+ \d+ >|"
    rf"(?:prompt|inputs?|messages)(?: (?:contains?|has|have|is|are|resulted in|length|of|at least|tokens?))+[ :=(]*{_NUMBER}"
)
_WANTS_STREAM = re.compile(r"non-?stream|stream['\"`]?\s*(?:=|:|to|must be|should be)(?:\s*set to)?\s*['\"`]?true|use stream")


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


def may_be_learned(status: int, said: str) -> bool:
    """Tell whether a refusal may be about the form: by its status, or since it says clearly what it wants."""
    words = said.lower()
    return status in TELLING or (status not in MUTE and bool(_FIELDS.search(words)) and bool(_CLEAR.search(words)))


def is_of_one_call(said: str) -> bool:
    """Tell whether a refusal is about the length of this prompt, so that later ones may have longer answers."""
    return bool(re.search(r"context|prompt|input|messages", said.lower()))


def _usage(form: Form, words: str) -> Form | None:
    return replace(form, usage=False) if re.search("stream_options|include_usage", words) else None


def _limit(form: Form, words: str) -> Form | None:
    """Give the limit the name that is asked for; it is never left out, for it bounds the cost."""
    names = _LIMIT.findall(words)
    if not names or not (_REFUSED.search(words) or (form.limit not in names and not _TOO_LARGE.search(words))):
        return None
    others = [name for name in (*names, *LIMITS) if name != form.limit]
    return replace(form, limit=others[0])


def _named(form: Form, words: str) -> Form | None:
    """Lower the limit to what the prompt leaves of the context, or to the largest number that is named and smaller."""
    context, prompt = _numbers(_CONTEXT, words), _numbers(_PROMPT, words)
    fitting: list[int] = []
    if context and prompt:
        fitting = [min(context) - max(prompt)]
    elif _is_too_large(words):
        fitting = [number for number in _numbers(re.compile(_NUMBER), words) if number not in prompt]
    fitting = [number for number in fitting if LEAST <= number < form.tokens]
    return replace(form, tokens=max(fitting)) if fitting else None


def _numbers(pattern: re.Pattern[str], words: str) -> list[int]:
    found = (group for match in pattern.finditer(words) for group in match.groups() if group)
    return [int(number.replace(",", "")) for number in found]


def _half(form: Form, words: str) -> Form | None:
    return replace(form, tokens=form.tokens // 2) if _is_too_large(words) and form.tokens >= 2 * LEAST else None


def _is_too_large(words: str) -> bool:
    return "token" in words and bool(_TOO_LARGE.search(words))


def _stream(form: Form, words: str) -> Form | None:
    about = re.search(r"\bstream|non-?stream|\bsse\b|server-sent|event-stream", words)
    return replace(form, stream=not form.stream) if about else None


def _stream_first(form: Form, words: str) -> Form | None:
    """Stream rather than have fewer tokens, where a server wants it for long answers."""
    return replace(form, stream=True) if _WANTS_STREAM.search(words) and not form.stream else None


def _system(form: Form, words: str) -> Form | None:
    return replace(form, system=False) if _SYSTEM.search(words) else None


def _cached(form: Form, words: str) -> Form | None:
    return replace(form, cached=False) if re.search(r"cache_control|\bsystem\b.{0,60}\bstring\b", words) else None


def _thinking(form: Form, words: str) -> Form | None:
    if not form.thinking or not re.search(r"thinking|budget_tokens|adaptive", words):
        return None
    return replace(form, thinking="enabled" if form.thinking == "adaptive" else "adaptive")


def _thoughtless(form: Form, words: str) -> Form | None:
    """Ask for no thoughts, where neither way to ask for them was taken."""
    return replace(form, thinking="") if "thinking" in words and _REFUSED.search(words) else None


RULES: tuple[Callable[[Form, str], Form | None], ...] = (
    *(_usage, _cached, _thinking, _thoughtless, _stream_first),
    *(_named, _limit, _half, _stream, _system),
)
