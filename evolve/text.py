"""Makes strangers' texts fit to be shown and stored: without keys, printable, and of a bounded length."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable
from typing import Any

LINE = 300  # characters of a stranger's text that is shown as one line


def short(method: str) -> str:
    """Return the first eight characters of a method's id, as people see it."""
    return method[:8]


def fence(text: str, language: str = "") -> str:
    """Return a fenced block that its content cannot close: it has more backticks than any run inside (CommonMark 4.5)."""
    runs = re.findall(r"`+", text)
    ticks = "`" * max([3, *(len(run) + 1 for run in runs)])
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def printable_line(text: str, limit: int = LINE) -> str:
    """Return a stranger's text as one printable line, cut to `limit` characters."""
    start = text[: 100 * limit]
    line = " ".join((start if start.isprintable() else "".join(c if c.isprintable() else " " for c in start)).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


LOOKS_LIKE_A_KEY = re.compile(r"\b(?:sk-|pk-|AIza)[-_A-Za-z0-9*.]{4,}|(?<=Bearer )\S+", re.IGNORECASE)
NAMES_A_SECRET = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)
LEAST_SECRET = 8  # characters; a shorter password cannot be told from the ordinary words of an answer


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


def environment_secrets() -> tuple[str, ...]:
    """Return the values of the environment's variables that are named like secrets, the longest first."""
    found = {value.strip() for name, value in os.environ.items() if NAMES_A_SECRET.search(name)}
    return tuple(sorted((value for value in found if len(value) >= LEAST_SECRET), key=len, reverse=True))


_IS_A_SECRET = re.compile(
    r"(?:^|[-_])(?:api[-_]?key|key|authorization|bearer|password|passwd|secret|(?:access|auth)[-_]?token|token)$"
)
_NO_SECRETS = ("prompt_cache_key", "safety_identifier")  # fields of a request that only sound like one


def holds_secret(value: object) -> bool:
    """Tell whether data has a field that is named like a secret, or holds one: the environment's, or what looks like a key."""
    if isinstance(value, dict):
        names = [str(name).lower() for name in value]
        named = any(_IS_A_SECRET.search(name) and name not in _NO_SECRETS for name in names)
        return named or any(map(holds_secret, (*value.keys(), *value.values())))
    if isinstance(value, (list, tuple)):
        return any(map(holds_secret, value))
    known = isinstance(value, str) and any(secret in value for secret in environment_secrets())
    return known or (isinstance(value, str) and bool(LOOKS_LIKE_A_KEY.search(value)))


_NUMBER = re.compile(r"[-+$\[(]*\d*[.,]?\d+[.,%)\]]*$")
_SAFE = "\n\t"
_HIDDEN = (0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)

# C0 controls become their pictures (escape is ␛); C1 controls and direction overrides the replacement character.
_TABLE: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in _SAFE},
    0x7F: "\u2421",
    **dict.fromkeys((*range(0x80, 0xA0), *_HIDDEN), "\ufffd"),
}


def clean(text: str) -> str:
    """Return text in which control characters, direction overrides and lone surrogates are visible and harmless."""
    return text.replace("\r\n", "\n").translate(_TABLE).encode("utf-8", "replace").decode("utf-8")


def one_line(text: str, width: int = 0) -> str:
    """Return clean text on one line, cropped with an ellipsis to `width` characters (0: not cropped)."""
    line = clean(" ".join(text.split()))
    return line if not width or len(line) <= width else ended(line, line[: width - 1])


def ended(line: str, kept: str) -> str:
    """Return the beginning of a line that was `kept`, with an ellipsis; a number that the cut went through is left out.

    A word with a digit in it counts as a number; the first word, which may be a name, only when it looks like one.
    """
    before, _, last = kept.rpartition(" ")
    through = not line[len(kept) : len(kept) + 1].isspace() and any(letter.isdigit() for letter in last)
    if through and (before.strip() or _NUMBER.match(last)):
        kept = before
    return kept.rstrip(" [(,") + "…"


def as_json(value: object, **how: Any) -> str:
    """Return data as JSON that any terminal may see: what is not finite becomes null, and control characters are escaped."""
    return json.dumps(finite(value), allow_nan=False, **how).replace("\x7f", "\\u007f")


def finite(value: object) -> object:
    """Return data for JSON: numbers that are not finite become None, which JSON can say."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


NONE = "–"


def number(value: float | None, *, sign: bool = False) -> str:
    """Return a PGR with two decimals and no leading zero: .66, -.12, 1.02; a dash for None or what is not finite."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:+.2f}" if sign else f"{value:.2f}"
    if text in ("-0.00", "+0.00"):
        text = "0.00"
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def interval(low: float | None, high: float | None) -> str:
    """Return an interval: [.58, .74]; empty when an end is unknown or not finite."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{number(low)}, {number(high)}]"


def estimate(mean: float | None, low: float | None, high: float | None) -> str:
    """Return a mean with its interval: .66 [.58, .74]."""
    return f"{number(mean)} {interval(low, high)}".strip()


def duration(seconds: float) -> str:
    """Return a time: 42 s, 4 min 12 s, 3 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def money(usd: float | None) -> str:
    """Return a price; one that is not known is unknown, never 0."""
    if usd is None:
        return "unknown"
    return f"${usd:.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.4f}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: 1 method, 1,234 methods."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def label(name: str, method: str) -> str:
    """Return what people call a method: its name on one line, or the first characters of its id."""
    return one_line(name, 40) or one_line(short(method))


def made_by(operator: str, model: str = "", origin: str = "") -> str:
    """Return what made a method: the operator, with its model where one was asked; without either, where it came from."""
    return f"{operator} with {model}" if operator and model else operator or origin


def words(name: str) -> str:
    """Return an identifier as words: teacher agreement."""
    return name.replace("_", " ")
