"""When the record is taken apart: after eight children, again when its PGR changed by more than .05, never while flagged."""

from __future__ import annotations

import pytest

from archives.nouns import MethodRecord
from evolve.search.ablations import AblationQueue
from evolve.search.state import SearchState
from fitness.nouns import Evaluation, Split, Status, Trial
from fitness.pgr import score


class Search:
    """A search whose methods have known PGRs."""

    def __init__(self) -> None:
        self.state = SearchState()
        self.read: list[int] = []
        self.queue = AblationQueue(self.state, lambda proposal: self.read.append(proposal) or [])

    def judged(self, name: str, pgr: float, origin: str = "search") -> None:
        self.state.add_method(MethodRecord(name, "", 9, name, origin, name, (), ()))
        scores = [score(0.6 + 0.3 * (pgr + off), 0.6, 0.9, 300) for off in (-0.02, 0.02)]
        trials = [Trial(name, "t", "chat", i, Split.DEV, Status.OK, one, {}, 0.1) for i, one in enumerate(scores)]
        self.state.add_evaluation(Evaluation(name, tuple(trials), Status.OK, pgr), None)


@pytest.fixture
def search() -> Search:
    """Eight judged children; the best, "first", has a PGR of .4."""
    found = Search()
    found.judged("seed", 0.3, "seed")
    for i in range(7):
        assert found.queue.owed() == "", "too few children were judged"
        found.judged(f"child {i}", 0.1 * (i % 3))
    found.judged("first", 0.4)
    return found


def test_ablations_are_owed_once_eight_children_are_judged(search: Search) -> None:
    assert search.queue.owed() == "first"


@pytest.mark.parametrize(("pgr", "again"), [(0.43, False), (0.46, True)])
def test_ablations_are_remade_when_the_record_changes_by_more_than_05_and_not_by_03(
    search: Search, pgr: float, again: bool
) -> None:
    search.queue.asked("first")
    assert search.queue.owed() == "", "it is under way"
    search.queue.ended(9, "first")
    search.judged("second", pgr)
    assert search.queue.owed() == ("second" if again else "")
    known = search.queue.known()
    assert (known is None) == again, "prompts tell of parts while the record is about as good as what was taken apart"
    if known:
        assert known.method == "first"


def test_small_steps_of_the_record_add_up_until_ablations_are_remade(search: Search) -> None:
    search.queue.asked("first")
    search.judged("second", 0.43)
    search.judged("third", 0.46)
    assert search.queue.owed() == "third", "it is compared with the record that was taken apart, not with the one before"


def test_a_flagged_record_is_not_taken_apart_and_its_parts_are_not_told(search: Search) -> None:
    search.queue.ended(9, "first")
    search.state.flag("first")
    assert search.queue.owed() == ""
    assert search.queue.known() is None


def test_ablations_that_came_to_nothing_are_not_asked_for_again(search: Search) -> None:
    search.queue.asked("first")
    search.queue.ended(9, "first")
    assert search.queue.owed() == ""


def test_experiments_are_read_once_and_again_after_another_record_was_taken_apart(search: Search) -> None:
    search.queue.ended(9, "first")
    assert search.queue.known() == search.queue.known()
    search.queue.ended(12, "first")
    search.queue.known()
    assert search.read == [9, 12]
