"""Strangers' texts made fit to be shown and stored: without keys, printable, and of a bounded length."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

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
