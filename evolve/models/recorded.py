"""Answers a prompt with what a model of a recorded run answered to it."""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from archives.archive import Archive
from archives.nouns import ArchiveError, CallRecord, Usage
from archives.sqlite.typed import value
from evolve.errors import ModelError, UsageError
from evolve.models.answers import kept
from evolve.nouns import PACE, VERSIONS, Reply

if TYPE_CHECKING:
    from evolve.models import Settings


@dataclass(frozen=True)
class Call:
    """A recorded call, with the prompt that it answered."""

    prompt: str
    record: CallRecord


class Recording:
    """The calls of a run, by what was asked. Safe to use from several threads."""

    def __init__(self, system: str, calls: Iterable[Call]) -> None:
        """Take the calls in the order in which they were answered."""
        self._calls: dict[bytes, list[CallRecord]] = {}
        for call in calls:
            self._calls.setdefault(_key(system, call.prompt), []).append(call.record)
        self._asked: Counter[bytes] = Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return sum(map(len, self._calls.values()))

    def find(self, system: str, prompt: str) -> list[CallRecord]:
        """Return every answer to a prompt, the first one first."""
        return self._calls.get(_key(system, prompt), [])

    def next(self, system: str, prompt: str) -> CallRecord:
        """Return the answer to a prompt, the next one when it was asked more than once, from the start again.

        Raises ModelError for a prompt that was never asked.
        """
        found = self.find(system, prompt)
        if not found:
            raise ModelError("this prompt is not in the recording: it was made by another version, configuration or seed")
        key = _key(system, prompt)
        with self._lock:
            turn = self._asked[key] % len(found)
            self._asked[key] += 1
        return found[turn]


class ReplayModel:
    """A model that answers as the models of a run did, or of each search of a study. Safe to use from several threads."""

    def __init__(self, name: str, base_url: str | None, rng: random.Random, settings: Settings) -> None:
        """Read the archive; in a folder, that with the name of the run that asks.

        Raises UsageError when no call is recorded there; in a folder, when it holds no archive, or none of that name.
        """
        self.name, path = f"replay:{name}", Path(name)
        try:
            self._recording = _of_the_same_name(path, settings.run) if path.is_dir() else recording(path)
        except ArchiveError as error:
            raise UsageError(f"cannot replay {name}: {error}") from error
        if not len(self._recording) and not path.is_dir():
            raise UsageError(f"cannot replay {name}: no model call is recorded in it")

    @classmethod
    def found_keys(cls) -> list[str]:
        """Return nothing: it needs no key."""
        return []

    def ask(self, system: str, prompt: str) -> Reply:
        """Answer as then. Raises ModelError for a prompt that was not asked, and UnusableAnswer for what was unusable then."""
        record = self._recording.next(system, prompt)
        return kept(self.name, record.reply, self._usage(record), record.problem)

    def worst_case(self, system: str, prompt: str) -> Usage:
        """Return the most that an answer to this prompt had in tokens; it costs nothing."""
        usages = [self._usage(record) for record in self._recording.find(system, prompt)]
        most_in, most_out = (max((getattr(u, n) for u in usages), default=0) for n in ("tokens_in", "tokens_out"))
        return Usage(self.name, 1, most_in, most_out, 0.0)

    def _usage(self, record: CallRecord) -> Usage:
        return replace(record.usage, model=self.name, usd=0.0, seconds=0.0)


def _of_the_same_name(folder: Path, run: Path | None) -> Recording:
    """Read the calls of the search of a study with a run's name; without a run only see that there is a study.

    Raises ArchiveError when there is none, or a damaged one.
    """
    known = {path.name: path for path in folder.glob("*.db")}
    if not known:
        raise ArchiveError("there is no archive in that folder")
    if run is None:
        return Recording("", [])
    if run.name not in known:
        raise ArchiveError(f"there is no {run.name} in that folder: a search is answered as the one of its name was")
    return recording(known[run.name])


def recording(path: Path) -> Recording:
    """Read the calls of a run. Raises ArchiveError when it is no archive, or a damaged one."""
    with contextlib.closing(Archive.open(path)) as archive:
        rows = archive.rows("select id, prompt from proposals where id in (select proposal from spend)")
        said = {value(row, "id", int): _said(value(row, "prompt", str)) for row in rows}
        calls = [(said.get(record.proposal, []), record) for record in archive.calls()]
        return Recording(archive.run().system, [Call(_told(s, r.turn), r) for s, r in calls if 1 <= r.turn <= len(s)])


def _told(said: list[str], turn: int) -> str:
    """Return what the model was sent at a turn: it repeats what was said before."""
    return "\n\n".join(said[:turn])


def _said(prompt: str) -> list[str]:
    """Return the turns of a proposal's prompt, as operators/llm/conversation.py joins them."""
    from evolve.nouns import TURN

    said, number = [], 2
    while (found := prompt.find(TURN.format(number))) >= 0:
        said.append(prompt[:found])
        prompt, number = prompt[found + len(TURN.format(number)) :], number + 1
    return [*said, prompt]


def _key(system: str, prompt: str) -> bytes:
    """Return what tells one request from another: lines that tell of a machine do not, as a recording is replayed on any."""
    lines = f"{system}\n\0{prompt}".splitlines()
    same = "\n".join(line for line in lines if not line.lstrip().startswith((VERSIONS, PACE)))
    return sha256(same.encode("utf-8", "surrogatepass")).digest()
