"""Reads how far a study is from the archives of its searches while they run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from archives.archive import Archive
from archives.nouns import ArchiveError
from archives.sqlite.typed import value
from evolve.study.plan import Contestant

_BEST = (
    "select e.pgr from evaluations e join methods m on m.id = e.method where e.split = 'dev' and m.origin = 'search' "
    "and m.flags = '' and e.fitness is not null order by e.fitness desc limit 1"
)


@dataclass(frozen=True)
class StudyProgress:
    """How far a search is.

    Attributes:
        trials: on dev instances, so far.
        best: dev PGR of the fittest method that it bred, None before there is one.
    """

    contestant: Contestant
    trials: int
    best: float | None
    begun: bool
    finished: bool


class ProgressReader:
    """Reads the searches of a study from time to time; one that has ended is not read again."""

    def __init__(self, contestants: Sequence[Contestant]) -> None:
        self._known = [StudyProgress(contestant, 0, None, begun=False, finished=False) for contestant in contestants]
        self._began, self._first = time.monotonic(), self.trials(self.look())

    def look(self) -> list[StudyProgress]:
        """Return how far each search is."""
        self._known = [known if known.finished else _read(known) for known in self._known]
        return self._known

    @staticmethod
    def trials(searches: Sequence[StudyProgress]) -> int:
        """Return the trials that are done with: a search that has ended needs no more of its budget."""
        return sum(one.contestant.trials if one.finished else min(one.trials, one.contestant.trials) for one in searches)

    def left(self, searches: Sequence[StudyProgress]) -> float | None:
        """Return the seconds until all have ended, at the rate since the first look; None when that is unknown."""
        done, seconds = self.trials(searches) - self._first, time.monotonic() - self._began
        total = sum(one.contestant.trials for one in searches)
        return (total - self.trials(searches)) * seconds / done if done > 0 else None


def _read(known: StudyProgress) -> StudyProgress:
    """Return how far a search is now; as it was known where its archive cannot be read at the moment."""
    if not known.contestant.path.exists():
        return known
    try:
        with contextlib.closing(Archive.open(known.contestant.path)) as archive:
            rows, state = archive.rows(_BEST), archive.run().state
            best = value(rows[0], "pgr", float | None) if rows else None
            return StudyProgress(known.contestant, archive.judged_trials(), best, begun=True, finished=state == "finished")
    except ArchiveError:
        return known
