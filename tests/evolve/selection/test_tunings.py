"""Which child has its declared constants tuned, when, and whom the gain of that is credited to."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial

import pytest

from archives.nouns import MethodRecord, Usage
from evolve.screening.screen import Screen
from evolve.search.ablations import AblationQueue
from evolve.search.candidate import Ended
from evolve.search.feedback import Feedback
from evolve.search.recorder import REACH, Listeners
from evolve.search.state import SearchState
from evolve.selection.bandit import Arm
from evolve.selection.choice import Choice, Proposer, Reward
from evolve.selection.selector import Selector
from evolve.selection.tunings import Promise
from fitness.tasks.directions import DIRECTIONS
from tests.evolve.selection.test_selector import FULL, held
from tests.support.scripted import CHILD, PARENT, SYNTAX

FIT = Proposer("fit", 1, "", "constants", True)
PAID = Usage("m", 1, 10, 10)
WRITER = Choice(1, "rewrite", "m", DIRECTIONS[0], ("m10",), (), 0.5, 0.5)


def selector(*more: Proposer) -> Selector:
    return Selector(held(3), [], [*FULL, Proposer("perturb", 1, ""), *more], DIRECTIONS, 0.5)


def owing(*methods: tuple[str, float], writer: Choice = WRITER) -> Selector:
    made = selector(FIT)
    for method, pgr in methods:
        made.promising(method, Promise(writer, 0.1, pgr))
    return made


def choose(made: Selector, number: int, experiments: bool = True, tunes: bool = True, model: bool | None = True) -> Choice:
    return made.choose(number, model, random.Random(number), experiments, tunes=tunes)


def test_a_promising_child_is_the_very_next_thing_that_its_island_works_on() -> None:
    made = owing(("child", 0.8))
    assert choose(made, 0).operator != "fit"
    found = choose(made, 1)
    assert (found.operator, found.model, found.parents, found.direction) == ("fit", "", ("child",), WRITER.direction)
    assert choose(made, 2).operator != "fit"


def test_it_is_tuned_once_and_never_again() -> None:
    made = owing(("child", 0.8))
    made.used(choose(made, 1))
    assert not made.owes_tuning
    made.promising("child", Promise(WRITER, 0.1, 0.9))
    assert choose(made, 4).operator != "fit"


def test_the_fittest_of_those_that_wait_comes_first_whatever_the_order() -> None:
    waiting = [("a", 0.3), ("b", 0.8), ("c", 0.5)]
    for order in (waiting, waiting[::-1]):
        made, found = owing(*order), []
        while made.owes_tuning:
            found.append(choose(made, 1))
            made.used(found[-1])
        assert [choice.parents[0] for choice in found] == ["b", "c", "a"]


@pytest.mark.parametrize(("experiments", "tunes"), [(False, True), (True, False), (False, False)])
def test_nothing_is_tuned_without_experiments_or_where_it_is_switched_off(experiments: bool, tunes: bool) -> None:
    made = owing(("child", 0.8))
    assert all(choose(made, number, experiments, tunes).operator != "fit" for number in range(12))
    assert made.owes_tuning, "it waits"


def test_where_nothing_is_declared_every_choice_is_what_it_was() -> None:
    plain, able = selector(), selector(FIT)
    for number in range(60):
        one = plain.choose(number, None, random.Random(number))
        assert choose(able, number, model=None) == one
        plain.used(one)
        able.used(one)


def test_what_tuning_gains_is_credited_to_who_wrote_the_child_and_is_no_other_try() -> None:
    made, other, arm = owing(("child", 0.8)), selector(FIT), Arm(1, "m", "rewrite")
    tuning = choose(made, 1)
    for one in (made, other):
        one.learn(replace(WRITER, operator="diff"), Reward(False, 0.0, PAID))
    made.learn(WRITER, Reward(True, 0.1, PAID, "child"))
    made.used(tuning)
    made.learn(tuning, Reward(True, 0.2, Usage(), "tuned"))
    other.learn(WRITER, Reward(True, 0.1 + 0.2, PAID, "child"))
    assert made.bandit.gain(arm) == pytest.approx(other.bandit.gain(arm))
    assert vars(made.bandit.arms[arm]) == pytest.approx(vars(other.bandit.arms[arm]))
    assert made.bandit.cost(arm) == other.bandit.cost(arm)
    assert made.bandit.arms.keys() == other.bandit.arms.keys(), "the tuning itself is no arm that is drawn"


# within reach of its parent


DECLARED = CHILD.replace("SHARE = 0.5", "SHARE = 0.5  # tune: 0.1 to 0.9")


def told(ours: tuple[float, ...], source: str = DECLARED, model: str = "m", flagged: bool = False) -> Selector:
    """Tell the listeners of a child that was judged, beside a parent of PGR .5."""
    pgrs = {"parent": (0.5, 0.5, 0.5, 0.5), "child": ours}
    state = SearchState(lambda method: pgrs[method])
    made = selector(FIT)
    listeners = Listeners(state, held(3), made, Feedback(state, str), AblationQueue(state, lambda _: ()))
    record = partial(replace, _record(PARENT))
    listeners.passed(record(id="parent"))
    listeners.passed(replace(_record(source), id="child"), "parent")
    state.scored |= {"parent", "child"}
    state.flagged |= {"child"} if flagged else set()
    listeners.ended(Ended(3, replace(WRITER, parents=("parent",), model=model), Reward(False, 0.0, PAID, "child")))
    return made


def _record(source: str) -> MethodRecord:
    method = Screen(SYNTAX).parse(source).method
    assert method is not None
    return method


@pytest.mark.parametrize("ours", [(0.6, 0.6, 0.6, 0.6), (0.5, 0.3), (0.41, 0.41, 0.41, 0.41)])
def test_a_child_within_reach_of_its_parent_is_owed_a_tuning_also_when_the_race_stopped_it(ours: tuple[float, ...]) -> None:
    assert told(ours).owes_tuning


@pytest.mark.parametrize("ours", [(0.5 - REACH - 0.02,) * 4, (0.3, 0.4), ()])
def test_an_unpromising_child_is_not(ours: tuple[float, ...]) -> None:
    assert not told(ours).owes_tuning


def test_what_declares_nothing_was_written_by_no_model_or_was_flagged_is_not_tuned() -> None:
    good = (0.6,) * 4
    assert not told(good, CHILD).owes_tuning
    assert not told(good, model="").owes_tuning
    assert not told(good, flagged=True).owes_tuning
