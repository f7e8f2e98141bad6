"""Screens a proposal: it becomes a method, or the reason why not, before anything is spent on judging it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from archives.nouns import MethodRecord
from evolve.files import decoded
from evolve.nouns import Worker
from evolve.screening.examine import examined
from evolve.text import printable_line, short, unseen, visible

MAX_BYTES = 32 * 1024  # of a method's file
REPEATS, DIFFERS = "it is the same method as", "it differs from"  # how the reason of a duplicate begins
_COOKIE = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)  # PEP 263: as a file, Python would read other code
LONGEST = 600  # characters of a reason: compile() and libcst quote the file
NEAR = math.log(1.05)  # two methods of one structure are near duplicates when no constant differs by more than 5 %


@dataclass(frozen=True)
class Screened:
    """A source that passed, or the sentence that says why it did not (`duplicate` names the method it repeats)."""

    method: MethodRecord | None
    reason: str = ""
    duplicate: str = ""


class Screen:
    """Checks sources against the rules and against every method of the run. Cost does not grow with the archive."""

    def __init__(self, worker: Worker, known: Iterable[MethodRecord] = ()) -> None:
        self._worker = worker
        self._ids: set[str] = set()
        self._structures: dict[str, list[tuple[str, tuple[float, ...]]]] = {}
        for method in known:
            self.remember(method)

    def remember(self, method: MethodRecord) -> None:
        """Count a method as known, so that its duplicates are refused."""
        if method.id not in self._ids:
            self._ids.add(method.id)
            self._structures.setdefault(method.structure, []).append((method.id, method.constants))

    def check(self, source: str | bytes, name: str = "", origin: str = "search") -> Screened:
        """Screen one source; size, text, compile, libcst, rules, exact and near duplicates, in this order."""
        return self.unique(self.parse(source, name, origin))

    def unique(self, screened: Screened) -> Screened:
        """Refuse what passed but repeats a known method: exactly, or but for what never runs or constants within 5 %."""
        method = screened.method
        if method is None:
            return screened
        if method.id in self._ids:
            return Screened(None, f"{REPEATS} {short(method.id)}", method.id)
        near, constants = self._near(method)
        if near:
            what = "in code that never runs" if constants == method.constants else "in constants, each by less than 5 %"
            return Screened(None, f"{DIFFERS} {short(near)} only {what}", near)
        return screened

    def parse(self, source: str | bytes, name: str = "", origin: str = "search") -> Screened:
        """Screen one source without looking for duplicates."""
        raw = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
        if len(raw) > MAX_BYTES:
            return Screened(None, f"it is {len(raw):,} bytes long: the limit is {MAX_BYTES:,}")
        try:
            written = decoded(raw)
        except UnicodeDecodeError as error:
            return Screened(None, f"line {raw[: error.start].count(10) + 1}: it is not UTF-8 text")
        text = visible(written)  # what a method holds is there to see, wherever it is shown
        if len(text) > len(written) and len(text.encode()) > MAX_BYTES:
            return Screened(None, f"it is longer than {MAX_BYTES:,} bytes when its invisible characters are written as escapes")
        if "\x00" in text:
            return Screened(None, f"line {text[: text.index(chr(0))].count(chr(10)) + 1}: it contains a null byte")
        for line, found in enumerate(map(_COOKIE.match, re.split("\r\n?|\n", text, maxsplit=2)[:2]), 1):
            if found and found[1].lower().replace("_", "-") not in ("utf-8", "utf8"):
                return Screened(None, f"line {line}: it declares the encoding {found[1]}, but a method is UTF-8 text")
        facts = examined(self._worker, text)
        if facts.get("reason"):
            return Screened(None, printable_line(f"{facts['reason']}{_hidden(written)}", LONGEST))
        identity, nodes = facts["id"], facts["nodes"]
        constants, sketch = tuple(facts["constants"]), tuple(facts["sketch"])
        label = name or short(identity)
        return Screened(MethodRecord(identity, text, nodes, label, origin, facts["structure"], constants, sketch))

    def _near(self, method: MethodRecord) -> tuple[str, tuple[float, ...]]:
        """Return the nearest method of the same structure with its constants, ("", ()) when none is near."""
        near = []
        for identity, constants in self._structures.get(method.structure, []):
            if len(constants) == len(method.constants) and all(map(close, constants, method.constants)):
                near.append((sum(a != b for a, b in zip(constants, method.constants)), identity, constants))
        return min(near)[1:] if near else ("", ())


def _hidden(source: str) -> str:
    """Say that a refused source holds what nobody sees, which may be why."""
    character = unseen(source)
    if not character:
        return ""
    line = source[: source.index(character)].count("\n") + 1
    return f" (line {line} holds the character U+{ord(character):04X}, which nobody sees: remove it)"


def close(a: float, b: float) -> bool:
    """Tell whether two constants are so close that methods which differ in them only are near duplicates."""
    return a == b or (a * b > 0 and abs(math.log(a / b)) < NEAR)
