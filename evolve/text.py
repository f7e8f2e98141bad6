"""Makes strangers' texts fit to be shown and stored: without keys, printable, and of a bounded length."""

from __future__ import annotations

import json
import math
import os
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from fitness import pgr

LINE = 300  # characters of a stranger's text that is shown as one line


def short(method: str) -> str:
    """Return the first eight characters of a method's id, as people see it."""
    return method[:8]


def fence(text: str, language: str = "") -> str:
    """Return a fenced block that its content cannot close: it has more backticks than any run inside (CommonMark 4.5)."""
    text = visible(text).rstrip()
    ticks = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`+", text))])
    return f"{ticks}{language}\n{text}\n{ticks}"


def printable_line(text: str, limit: int = LINE) -> str:
    """Return a stranger's text as one printable line, cut to `limit` characters."""
    start = visible(text[: 100 * limit])
    line = " ".join((start if start.isprintable() else "".join(c if c.isprintable() else " " for c in start)).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


# How the keys of OpenAI, Google, GitHub, GitLab, Hugging Face, Groq, xAI, NVIDIA, Perplexity, Replicate, Stripe, Slack and AWS
# begin, and tokens of OAuth and JWT; what begins like a word needs a digit, or more letters than a word has
LOOKS_LIKE_A_KEY = re.compile(
    r"\b(?:sk-|pk-|AIza)[-_A-Za-z0-9*.]{4,}|(?<=Bearer )\S+|"
    r"\b(?:gh[opsur]_|github_pat_|glpat-|gsk_|xai-|nvapi-|pplx-|[spr]k_(?:live|test)_|xox[abeprs]-|ya29\.)[-_A-Za-z0-9*.]{8,}|"
    r"\b(?:hf_|r8_)(?=[a-z*]*\d|[a-z*]{20})[a-z0-9*]{8,}|\b(?:AKIA|ASIA)[A-Z0-9*]{12,}|\beyJ[-\w]{8,}\.[-\w]{8,}[-\w.]*",
    re.IGNORECASE,
)
NAMES_A_SECRET = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|COOKIE|CREDENTIALS?)$", re.IGNORECASE)
LEAST_SECRET = 8  # characters; a shorter password cannot be told from the ordinary words of an answer


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return a text without these secrets."""
    for secret in secrets:
        text = text.replace(secret, "[key]")
    return text


def quote(text: str, secrets: Iterable[str], limit: int = 200) -> str:
    """Return a stranger's text as it may stand in a sentence: one printable line, cut, without keys."""
    return printable_line(LOOKS_LIKE_A_KEY.sub("[key]", hide(text, secrets)), limit)


def environment_secrets() -> tuple[str, ...]:
    """Return the values of the environment's variables that are named like secrets, the longest first."""
    found = {value.strip() for name, value in os.environ.items() if NAMES_A_SECRET.search(name)}
    return tuple(sorted((value for value in found if len(value) >= LEAST_SECRET), key=len, reverse=True))


_IS_A_SECRET = re.compile(
    r"(?:^|[-_. ])(?:(?:api)?keys?|auth|authori[sz]ation|bearer|jwt|cookies?|credentials?|pass|pwd|passw(?:or)?d|passphrase|"
    r"secrets?|(?:access|auth|refresh|session|id)?token)$"
)
# fields of a request that only sound like one: the tokens of a text
_IS_NO_SECRET = re.compile(
    r"(?:^|[-_])(?:eos|bos|eot|eom|pad|stop|unk|sep|cls|mask|start|begin|end|special|image|audio|think)[-_]token$|^prompt_cache_key$"
)


def holds_secret(value: object) -> bool:
    """Tell whether data has a field that is named like a secret, or holds one: the environment's, or what looks like a key."""
    if isinstance(value, dict):
        named = any(_is_named_like_a_secret(str(name)) for name, held in value.items() if held not in (None, True, False))
        return named or any(map(holds_secret, (*value.keys(), *value.values())))
    if isinstance(value, (list, tuple)):
        return any(map(holds_secret, value))
    known = isinstance(value, str) and any(secret in value for secret in environment_secrets())
    return known or (isinstance(value, str) and bool(LOOKS_LIKE_A_KEY.search(value)))


def _is_named_like_a_secret(name: str) -> bool:
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip()).lower()  # privateKey
    return bool(_IS_A_SECRET.search(plain)) and not _IS_NO_SECRET.search(plain)


_NUMBER = re.compile(r"[-+$\[(]*\d*[.,]?\d+[.,%)\]]*$")
_ODD = re.compile(r"[^\n\t -~]")
_PICTURES = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"} | {0x7F: "\u2421"}  # escape is ␛
# What Unicode calls printable and no font draws: joiners, fillers, variation selectors, blank Braille and notes.
_DRAWN_AS_NOTHING = frozenset(
    (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164, *range(0xFE00, 0xFE10), 0xFFA0, 0x16FE4)
) | {0x1D159, *range(0xE0100, 0xE01F0)}  # fmt: skip


def visible(text: str) -> str:
    """Return text in which every character that nobody would see is written as Python escapes it, such as \\u200b.

    Blanks of every width and the controls below 32 stay; a Python file means the same, but in raw strings.
    """
    return text if text.isascii() else _ODD.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    drawn = character.isprintable() and ord(character) not in _DRAWN_AS_NOTHING
    kept = drawn or ord(character) in _PICTURES or unicodedata.category(character) == "Zs"
    return character if kept else character.encode("unicode_escape").decode("ascii")


def unseen(text: str) -> str:
    """Return the first character of a text that `visible` would escape, "" when there is none."""
    return next((found[0] for found in _ODD.finditer(text) if _escaped(found) != found[0]), "")


def clean(text: str) -> str:
    """Return text in which control characters and what nobody would see (`visible`) are there to see, and harmless."""
    return visible(text.replace("\r\n", "\n")).translate(_PICTURES)


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


def interval(low: float | None, high: float | None, n: int = 0) -> str:
    """Return an interval: [.58, .74], or [n = 2: too few]; empty when an end is unknown or not finite.

    `n` is the number of instances, 0 where there are enough or it is unknown.
    """
    if 0 < n < pgr.FEWEST:
        return f"[n = {n}: too few]"
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{number(low)}, {number(high)}]"


def estimate(mean: float | None, low: float | None, high: float | None, n: int = 0) -> str:
    """Return a mean with its interval: .66 [.58, .74]."""
    return number(mean) if mean is None else f"{number(mean)} {interval(low, high, n)}".strip()


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
    """Return an identifier as words: peak memory."""
    return name.replace("_", " ")
