"""The memory of what was tried: bounded, near relatives first, and one failure of each kind."""

from __future__ import annotations

from archives.nouns import Usage
from evolve.search.attempts import CHILDREN, KINDS, ROWS, TELLING, Attempts
from evolve.search.candidate import Ended
from evolve.selection.choice import Choice, Reward
from fitness.tasks.directions import DIRECTIONS


def ended(number: int, parent: str, reason: str | None = None, prediction: str = "") -> Ended:
    made = Choice(0, "diff", "m", DIRECTIONS[0], (parent,), (), 0.0, 0.0)
    return Ended(
        number, made, Reward(False, 0.0, Usage(), f"m{number}"), "done", f"idea {number}", reason, prediction=prediction
    )


def test_children_of_a_parent_come_before_those_of_its_ancestors_and_the_newest_first() -> None:
    attempts = Attempts()
    for number, parent in ((1, "grand"), (2, "parent"), (3, "grand"), (4, "parent"), (5, "stranger")):
        attempts.ended(ended(number, parent), 0.5, 0.5)
    assert [event.number for event in attempts.near(("parent",), {"parent": "grand"})] == [4, 2, 3, 1]


def test_a_parent_with_many_children_keeps_the_newest() -> None:
    attempts = Attempts()
    for number in range(100):
        attempts.ended(ended(number, "parent"), None, None)
    assert [event.number for event in attempts.near(("parent",), {})] == [*range(99, 99 - CHILDREN, -1)]


def test_a_new_best_a_near_miss_a_large_fall_and_each_kind_of_failure_tell_most() -> None:
    attempts = Attempts()
    attempts.ended(ended(1, "p"), 0.5, 0.4)  # a new best
    attempts.ended(ended(2, "p"), 0.47, 0.5)  # a near miss
    attempts.ended(ended(3, "p"), 0.1, 0.5)  # a large fall
    attempts.ended(ended(4, "p"), 0.4, 0.5)  # nothing of these
    attempts.ended(ended(5, "p", "CRASHED: line 3: shapes 4 and 5 differ"), None, 0.5)
    attempts.ended(ended(6, "p", "CRASHED: line 9: shapes 8 and 2 differ"), None, 0.5)
    attempts.ended(ended(7, "p", "line 2: the name 'softmax' is not defined"), None, 0.5)
    told = [event.number for event in attempts.telling()]
    assert told[:5] == [1, 2, 3, 7, 6], "of failures that differ in numbers and names only, the newest"
    assert {4, 5} <= {*told}, "what is merely new comes last"


def test_the_memory_of_what_tells_most_is_bounded() -> None:
    attempts = Attempts()
    for number in range(2_000):
        attempts.ended(ended(number, f"p{number}", f"failure of kind {'abcdefghijklmnopqrstuvwxyz'[number % 26]}"), None, None)
        attempts.ended(ended(number, f"p{number}"), number / 2_000, 0.0)
    assert len(list(attempts.telling())) <= 3 * TELLING + KINDS + 2 * ROWS


def test_a_prediction_is_remembered_by_the_child_it_was_made_for() -> None:
    attempts = Attempts()
    attempts.ended(ended(1, "p", prediction="domain 1 rises"), 0.5, 0.4)
    assert attempts.prediction("m1") == "domain 1 rises"
    assert attempts.prediction("m2") == ""
