from __future__ import annotations

import pytest

from archives.nouns import MethodRecord, Usage
from evolve.search.candidate import Ended
from evolve.search.feedback import BROKEN, NO_GAIN, SHOWN, Feedback, failure, problem_of
from evolve.search.state import SearchState
from evolve.selection.choice import Choice, Reward
from fitness.nouns import Status
from fitness.tasks.directions import DIRECTIONS


def choice(parent: str, fixes: int | None = None) -> Choice:
    return Choice(0, "diff", "m", DIRECTIONS[0], (parent,), (), 0.0, 0.0, fixes)


def ended(number: int, parent: str, reason: str | None, broken: bool = False) -> Ended:
    return Ended(number, choice(parent), Reward(False, 0.0, Usage()), "done", f"idea {number}", reason, broken)


@pytest.fixture
def feedback() -> Feedback:
    state = SearchState()
    made = Feedback(state, lambda number: f"source {number}")
    for name, source, parent in (("a", "x = 1\ny = 2\n", None), ("b", "x = 1\n", "a"), ("c", "x = 1\ny = 2\n", "b")):
        method = MethodRecord(name, source, 9, name, "search" if parent else "seed", "one shape", (), ())
        state.add_method(method, parent)
        made.add_method(method)
    return made


def test_a_brief_shows_what_failed_on_its_parents_the_newest_first(feedback: Feedback) -> None:
    for number in range(1, 9):
        feedback.ended(ended(number, "a", f"reason {number}"))
    feedback.ended(ended(9, "b", "of another parent"))
    feedback.ended(ended(10, "a", None))
    shown = feedback.brief(choice("a"), (), (), lambda _: "").failures
    assert [one.reason for one in shown] == [f"reason {number}" for number in (8, 7, 6, 5)[:SHOWN]]


def test_the_oldest_broken_child_is_forgotten(feedback: Feedback) -> None:
    for number in range(BROKEN + 1):
        feedback.ended(ended(number, "a", "it failed", broken=True))
    assert feedback.brief(choice("a", fixes=0), (), (), lambda _: "").broken is None
    broken = feedback.brief(choice("a", fixes=1), (), (), lambda _: "").broken
    assert broken is not None
    assert (broken.source, broken.reason) == ("source 1", "it failed")


def test_a_child_that_writes_deleted_lines_again_is_told_apart(feedback: Feedback) -> None:
    assert feedback.brief(choice("b"), (), (), lambda _: "").deleted == ("y = 2",)
    assert feedback.summary("try", "b", "c") == "try (1 of its lines had been deleted in this lineage before)"
    assert feedback.summary("try", "a", "b") == "try"


def test_a_judged_child_led_nowhere_for_the_gravest_reason() -> None:
    assert failure(problem_of(Status.CRASHED, "it fell"), "shuffle", False) == f"{Status.CRASHED}: it fell"
    assert failure(problem_of(Status.OK, ""), "shuffle swap", False) == "flagged by shuffle swap"
    assert failure("", "", False) == NO_GAIN
    assert failure("", "", True) is None


def test_a_failure_tells_what_is_disclosed_of_its_scores_and_whose_they_are(feedback: Feedback) -> None:
    judged = Ended(1, choice("a"), Reward(False, 0.0, Usage(), "b"), "done", "an idea", NO_GAIN)
    for event in (judged, ended(2, "a", "it does not compile")):
        feedback.ended(event)
    brief = feedback.brief(choice("a"), (), (), {"b": "PGR 0.35"}.__getitem__)
    assert [(failure.reason, failure.method) for failure in brief.failures] == [
        ("it does not compile", ""),
        (f"{NO_GAIN}; PGR 0.35", "b"),
    ]
    assert brief.methods == ("b",)
    assert feedback.brief(choice("a"), (), (), lambda _: "").methods == (), "of what no score is told, no look is entered"
