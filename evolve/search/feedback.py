"""Keeps what the next prompt is told: what was tried, failed children, families of constants, and what an island was shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from archives.nouns import MethodRecord
from evolve.nouns import Broken, Relative
from evolve.search.attempts import ROWS, Attempts
from evolve.search.candidate import Ended
from evolve.search.deleted_lines import DeletedLines, statements
from evolve.search.state import SearchState
from evolve.selection.choice import Choice
from fitness.nouns import Status

BROKEN = 64  # failed children that can still be repaired
FAMILY = 60  # methods of one structure that a brief names, the newest
AGAIN = 10  # prompts of an island in which a human baseline is shown in full once
GOOD = 0.1  # of fitness below the first parent's at which a method is still worth its file
OTHER = 0.05  # difference of a measured share at which methods behave differently
NO_GAIN = "judged, and not placed: no better than what its cell holds"


def problem_of(status: Status, message: str) -> str:
    """Return why a method failed when it was judged, "" when it did not."""
    return "" if status is Status.OK else f"{status}: {message}"


def failure(problem: str, flags: str, placed: bool) -> str | None:
    """Return why a judged child led nowhere: it failed, was flagged, or gained nothing; None when it did not."""
    return problem or (f"flagged by {flags}" if flags else None if placed else NO_GAIN)


class Feedback:
    """What was tried, failed children, and the families of methods; `source` returns that of a proposal."""

    def __init__(self, state: SearchState, source: Callable[[int], str]) -> None:
        self._state, self._source = state, source
        self._attempts = Attempts()
        self._broken: dict[int, str] = {}  # why the child of a proposal failed
        self._families: dict[str, list[str]] = {}  # structure -> methods, in the order they were added
        self._shown: dict[int, deque[tuple[int, frozenset[str]]]] = {}  # baselines shown in full, by island, with the proposal
        self._lineages = DeletedLines(statements)

    def add_method(self, method: MethodRecord) -> None:
        """Remember a method among those of its structure."""
        self._families.setdefault(method.structure, []).append(method.id)

    def asked(self, number: int, choice: Choice) -> None:
        """Remember which human baselines a prompt may show in full."""
        if choice.model:
            full = frozenset((*choice.parents, *self.whole(number, choice)))
            self._shown.setdefault(choice.island, deque(maxlen=AGAIN + 1)).append(
                (number, frozenset(filter(self._by_hand, full)))
            )

    def ended(self, event: Ended) -> None:
        """Remember what was tried, and a child that a model may repair; the oldest are forgotten."""
        child, parent = event.reward.method, next(iter(event.choice.parents), "")
        known = self._state.known_fitness
        self._attempts.ended(event, None if child in self._state.flagged else known(child), known(parent))
        if event.broken and event.reason is not None:
            self._broken[event.number] = event.reason
            if len(self._broken) > BROKEN:
                del self._broken[next(iter(self._broken))]

    def tried(self, choice: Choice) -> Iterator[tuple[Ended, bool]]:
        """Yield what was tried and whether it is near, each once: near relatives first, then what tells most of the rest.

        The children that the prompt shows in full are no rows of its table.
        """
        seen = set[int]()
        shown = {*choice.parents}
        for near, events in (True, self._attempts.near(choice.parents, self._state.parents)), (False, self._attempts.telling()):
            for event in events:
                if event.number not in seen and event.reward.method not in shown and event.number != choice.fixes:
                    seen.add(event.number)
                    yield event, near
                    if len(seen) == ROWS:
                        return

    def prediction(self, method: str) -> str:
        """Return what was predicted of a method's card, "" for nothing."""
        return self._attempts.prediction(method)

    def whole(self, number: int, choice: Choice) -> frozenset[str]:
        """Return the other methods of a prompt that are worth their file: good ones that behave differently.

        A human baseline that its island was shown in full lately is not.
        """
        earlier = [shown for proposal, shown in self._shown.get(choice.island, ()) if proposal < number]
        lately = frozenset[str]().union(*earlier[-AGAIN:])
        return frozenset(m for m in choice.inspirations if m not in lately and self._differs(m, choice.parents))

    def deleted(self, method: str, better: Callable[[str], bool]) -> tuple[str, ...]:
        """Return the lines that a method's lineage dropped and was better without."""
        self._trace(method, better)
        return self._lineages.deleted(method)

    def broken(self, proposal: int | None) -> Broken | None:
        """Return the failed child of a proposal, None when it did not fail or is forgotten."""
        if proposal is None or proposal not in self._broken:
            return None
        return Broken(self._source(proposal), self._broken[proposal])

    def family(self, method: str) -> tuple[Relative, ...]:
        """Return the methods of a method's structure that have a fitness, itself included."""
        methods, known = self._state.methods, self._state.known_fitness
        kin = self._families.get(methods[method].structure, [])[-FAMILY:]
        return tuple(Relative(methods[m].constants, fitness) for m in kin if (fitness := known(m)) is not None)

    def _differs(self, method: str, parents: tuple[str, ...]) -> bool:
        """Tell whether a method is about as good as the first parent, and behaves differently from every parent."""
        known = self._state.known_fitness
        mine, theirs = known(method), known(parents[0])
        if mine is None or (theirs is not None and mine < theirs - GOOD):
            return False
        measured = [self._state.measures(one) for one in parents if known(one) is not None]
        own = self._state.measures(method)
        return all(
            any(abs(own[name] - other[name]) >= OTHER for name in own.keys() & other.keys() - {"size"}) for other in measured
        )

    def _by_hand(self, method: str) -> bool:
        return method in self._state.methods and self._state.methods[method].origin != "search"

    def _trace(self, method: str, better: Callable[[str], bool]) -> None:
        """Follow a method's lineage from where it is known already; most methods are never a parent and are never followed."""
        methods, parents = self._state.methods, self._state.parents
        line: dict[str, None] = {}
        one: str | None = method
        while one in methods and one not in line and not self._lineages.knows(one):
            line[one] = None
            one = parents.get(one)
        for one in reversed(line):
            parent = parents.get(one)
            self._lineages.add(one, methods[one].source, parent, parent is not None and better(one))
