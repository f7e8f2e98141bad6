from __future__ import annotations

import pytest

from archives.nouns import MethodRecord, Usage
from evolve.search.candidate import Ended
from evolve.search.feedback import BROKEN, NO_GAIN, Feedback, failure, problem_of
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


def test_the_oldest_broken_child_is_forgotten(feedback: Feedback) -> None:
    for number in range(BROKEN + 1):
        feedback.ended(ended(number, "a", "it failed", broken=True))
    assert feedback.broken(0) is None
    broken = feedback.broken(1)
    assert broken is not None
    assert (broken.source, broken.reason) == ("source 1", "it failed")


def test_only_lines_that_were_measured_to_hurt_are_told(feedback: Feedback) -> None:
    assert feedback.deleted("b", lambda child: child == "b") == ("y = 2",)


def test_lines_whose_loss_was_not_told_apart_are_not_told(feedback: Feedback) -> None:
    assert feedback.deleted("b", lambda _: False) == ()


def test_a_table_leaves_out_what_the_prompt_shows_in_full(feedback: Feedback) -> None:
    for number, parent in ((1, "a"), (2, "a"), (3, "a")):
        feedback.ended(ended(number, parent, "it failed", broken=True))
    assert [event.number for event, _ in feedback.tried(choice("a", fixes=2))] == [3, 1], (
        "the child to be mended has its own part"
    )


def test_a_judged_child_led_nowhere_for_the_gravest_reason() -> None:
    assert failure(problem_of(Status.CRASHED, "it fell"), "shuffle", False) == f"{Status.CRASHED}: it fell"
    assert failure(problem_of(Status.OK, ""), "shuffle swap", False) == "flagged by shuffle swap"
    assert failure("", "", False) == NO_GAIN
    assert failure("", "", True) is None
