"""Returns what a run's task calls its numbers, for people who read its pages: the archive says it, no task is imported."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from archives.archive import Archive
from evolve.text import printable_line
from fitness.contracts.contract import Words
from fitness.contracts.probabilities import PROBABILITIES

KIND = "words"  # of the event that holds them; a run without one is of a task whose words are ours
LONGEST = 180  # characters of each


@dataclass(frozen=True)
class CalledNumbers:
    """What value, floor and ceiling are called, and what is said of the axis of that name in the grid.

    Attributes:
        compared: what others reached on a question like this.
    """

    value: str
    floor: str
    ceiling: str
    axis: str = ""
    along: str = ""
    compared: str = ""


def called(words: Words) -> CalledNumbers:
    """Return what readers of a run need of a contract's words."""
    return CalledNumbers(words.value, words.floor, words.ceiling, *words.axis, words.compared)


def event_text(words: Words) -> str:
    """Return the words as an event of the archive holds them."""
    return json.dumps(asdict(called(words)))


def words_of(archive: Archive) -> CalledNumbers:
    """Return the words of a run's task."""
    kept = archive.rows("select text from events where kind = ? order by id limit 1", [KIND])
    ours = called(PROBABILITIES.words)
    try:
        found = json.loads(str(kept[0]["text"])) if kept else asdict(ours)
        return CalledNumbers(**{name: printable_line(str(found[name]), LONGEST) for name in asdict(ours)})
    except (ValueError, KeyError, TypeError):
        return ours
