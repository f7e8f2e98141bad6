"""The operator `fit`: what it tries, what it makes of the outcomes, and what it says when there is nothing to make."""

import math
import random
import re
from collections.abc import Callable, Sequence

import pytest

from evolve.nouns import Brief, Draft, Exhibit, Experiment, Tools, Variant
from evolve.operators.offline.fit import EACH, OWN, ROUNDS, Fit
from fitness import pgr
from fitness.nouns import Direction, Evaluation, Method, Split, Status, Trial
from tests.support.scripted import SYNTAX

CHILD = '''"""Keeps its comments."""

SHARE = 0.3  # tune: 0.05 to 0.9
ROUNDS = 4  # tune: 1 to 12


def method(problem):
    return problem.weak[:, 1] * SHARE ** ROUNDS
'''


class World:
    """Experiments whose PGR is a function of the constants in the source; None makes the method fail."""

    instances = 2

    def __init__(self, worth: Callable[[float, int], float | None]) -> None:
        self.worth, self.tried, self.raced = worth, list[Variant](), list[bool]()

    def run(self, variants: Sequence[Variant], race: bool = True) -> tuple[Experiment, ...]:
        self.tried += variants
        self.raced.append(race)
        return tuple(map(self._one, variants))

    def _one(self, variant: Variant) -> Experiment:
        found = re.findall(r"^(?:SHARE|ROUNDS) = (\S+)", variant.source, re.MULTILINE)
        worth = self.worth(float(found[0]), int(found[1]))
        status, score = (Status.CRASHED, None) if worth is None else (Status.OK, pgr.score(0.5 + worth / 10, 0.5, 0.6, 300))
        trial = Trial("m", "embedded", "chat", 0, Split.DEV, status, score, {}, 0.1)
        return Experiment(variant, Evaluation("m", (trial,), status, None), "" if score else "it broke")


def peak(share: float, rounds: int) -> float:
    return 0.9 - abs(share - 0.7) - 0.02 * abs(rounds - 9)


def fitted(world: World | None, source: str = CHILD, seed: int = 0) -> Draft:
    brief = Brief(Direction("again", "Again?", ()), (Exhibit(Method("a" * 64, source, 9), "child"),))
    return Fit().propose(brief, Tools(SYNTAX, experiments=world), random.Random(seed))


def test_the_best_set_is_made_a_child_that_differs_in_declared_constants_only() -> None:
    world = World(peak)
    draft = fitted(world)
    assert draft.source is not None
    best = max(world.tried, key=lambda one: world._one(one).evaluation.pgr)
    assert draft.source == best.source
    assert best.label in draft.idea
    blank = re.compile(r"(?<=^SHARE = )\S+|(?<=^ROUNDS = )\S+", re.MULTILINE)
    assert blank.sub("", draft.source) == blank.sub("", CHILD)


def test_the_childs_own_values_come_first_on_the_same_instances_and_nobody_is_raced() -> None:
    world = World(peak)
    fitted(world)
    assert (world.tried[0].label, world.tried[0].source) == (OWN, CHILD)
    assert world.raced == [False] * ROUNDS
    assert len(world.tried) == ROUNDS * EACH == len({one.source for one in world.tried})


def test_every_value_that_is_tried_lies_in_its_range_and_whole_numbers_stay_whole() -> None:
    world = World(peak)
    fitted(world, CHILD.replace("0.05 to 0.9", "0.28 to 0.32, log"), seed=3)
    for variant in world.tried:
        share, rounds = re.findall(r"^(?:SHARE|ROUNDS) = (\S+)", variant.source, re.MULTILINE)
        assert 0.28 <= float(share) <= 0.32
        assert 1 <= int(rounds) <= 12


def test_the_same_generator_and_outcomes_give_the_same_variants_and_another_generator_others() -> None:
    worlds = [World(peak) for _ in range(3)]
    drafts = [fitted(world, seed=seed) for world, seed in zip(worlds, (5, 5, 6))]
    assert worlds[0].tried == worlds[1].tried != worlds[2].tried
    assert drafts[0] == drafts[1]


@pytest.mark.thorough
def test_it_learns_from_what_was_tried() -> None:
    last, first = [], []
    for seed in range(12):
        world = World(peak)
        fitted(world, seed=seed)
        worth = [world._one(one).evaluation.pgr for one in world.tried]
        first.append(max(worth[1:EACH]))
        last.append(max(worth))
    assert sum(last) > sum(first) + 0.3


def test_nothing_better_is_no_child() -> None:
    draft = fitted(World(lambda share, rounds: 0.8 if (share, rounds) == (0.3, 4) else 0.1))
    assert (draft.source, draft.problem) == (None, "no set of declared constants was better than the child's own")
    assert fitted(World(lambda *_: 0.5)).source is None, "as good is not better"


def test_values_with_which_it_fails_are_failures_and_no_low_scores() -> None:
    draft = fitted(World(lambda share, rounds: -5.0 if (share, rounds) == (0.3, 4) else -4.0 if rounds < 7 else None))
    assert draft.source is not None
    assert int(re.findall(r"^ROUNDS = (\d+)", draft.source, re.MULTILINE)[0]) < 7


def test_a_child_that_fails_with_its_own_constants_is_tried_no_further() -> None:
    world = World(lambda *_: None)
    assert fitted(world).problem == "it could not be judged with its own constants: it broke"
    assert len(world.tried) == EACH


@pytest.mark.parametrize("declared", ["SHARE = 0.3  # tune: 0.9 to 0.05", "SHARE = 2 ** 2  # tune: 1 to 8"])
def test_an_absurd_range_is_told_and_nothing_is_tried(declared: str) -> None:
    world = World(peak)
    draft = fitted(world, CHILD.split("SHARE")[0] + declared + "\n\n\ndef method(problem):\n    return problem.weak[:, 1]\n")
    assert (draft.source, world.tried) == (None, [])
    assert draft.problem.startswith("it declares no constants that can be tuned (line 3: ")


def test_a_range_that_is_not_used_is_told_beside_those_that_are() -> None:
    draft = fitted(World(peak), CHILD.replace("1 to 12", "9 to 12"))
    assert draft.source is not None
    assert "line 4: ROUNDS is not tuned: its value 4 is outside its range" in draft.idea
    assert len(draft.idea) <= 300


def test_a_source_that_cannot_be_read_is_a_problem_and_no_crash() -> None:
    for source in ("A = (  # tune: 1 to 8\n", "A = '''  # tune: 1 to 8\n", "\x00# tune: 1 to 8"):
        draft = fitted(World(peak), source)
        assert draft.source is None
        assert draft.problem
        assert "\n" not in draft.problem


def test_without_experiments_nothing_is_tuned() -> None:
    assert "no experiments" in fitted(None).problem


def test_a_range_of_few_values_ends_early() -> None:
    world = World(lambda share, rounds: rounds / 10)
    draft = fitted(world, CHILD.replace("1 to 12", "3 to 5").replace("  # tune: 0.05 to 0.9", ""))
    assert draft.source is not None
    assert "ROUNDS = 5 " in draft.source
    assert len(world.tried) == 3
    assert not math.isnan(world._one(world.tried[0]).evaluation.pgr)
