"""Answers out of a file, for tests and demonstrations: a JSON list of strings, given in turn, from the start again."""

from __future__ import annotations

import json
import random
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from archives.nouns import Usage
from evolve.errors import UsageError
from evolve.files import decoded, read_regular
from evolve.models.answers import kept, text
from evolve.nouns import Reply

if TYPE_CHECKING:
    from evolve.models import Settings

LARGEST = 64 << 20  # bytes


class ScriptedModel:
    """A model that says what a file says. Safe to use from several threads."""

    def __init__(self, name: str, base_url: str | None, rng: random.Random, settings: Settings) -> None:
        """Read the file. Raises UsageError when it is no list of strings."""
        self.name = f"scripted:{name}"
        self._replies = _replies(Path(name))
        self._lock = threading.Lock()
        self._asked = 0

    @classmethod
    def found_keys(cls) -> list[str]:
        """Return nothing: it needs no key."""
        return []

    def ask(self, system: str, prompt: str) -> Reply:
        """Give the next reply. Raises UnusableAnswer when it is empty or too long."""
        with self._lock:
            said = self._replies[self._asked % len(self._replies)]
            self._asked += 1
        return kept(self.name, said, self.worst_case(system, prompt))

    def worst_case(self, system: str, prompt: str) -> Usage:
        """Return what it costs: a call, no tokens and no money."""
        return Usage(self.name, 1, usd=0.0)


def _replies(path: Path) -> list[str]:
    shape = 'a JSON list of strings, such as ["first reply", "second reply"]'
    try:
        raw = read_regular(path, LARGEST)
    except OSError as error:
        raise UsageError(f"cannot read the replies in {path}: {error.strerror}") from error
    try:
        found = json.loads(decoded(raw)) if raw is not None else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not found or not all(isinstance(reply, str) for reply in found):
        raise UsageError(f"{path} holds no replies: write {shape} into it")
    return [text(reply) for reply in found]
