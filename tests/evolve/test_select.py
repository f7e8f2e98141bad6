from __future__ import annotations

import random
from collections import Counter

import pytest

from archives.nouns import Elite
from evolve.directions import DIRECTIONS
from evolve.select import Selector, Source


def selector(islands: int = 3, novelty: float = 0.5) -> Selector:
    made = Selector(islands, [Source("graft", 2, ""), Source("perturb", 1, ""), Source("rewrite", 1, "m")], DIRECTIONS, novelty)
    for island in range(islands):
        for cell in range(6):
            made.place(Elite(island, cell, f"m{island}{cell}", cell / 10))
    return made


def draw(made: Selector, prompts: int, needs_model: bool | None = None) -> list[object]:
    choices = []
    for number in range(prompts):
        choice = made.choose(number, needs_model, random.Random(number))
        made.used(choice)
        choices.append(choice)
    return choices


def test_the_same_generator_gives_the_same_choices() -> None:
    assert draw(selector(), 40) == draw(selector(), 40)


def test_islands_take_turns_and_stay_apart() -> None:
    for number, choice in enumerate(draw(selector(), 30)):
        assert choice.island == number % 3
        assert all(method[1] == str(choice.island) for method in (*choice.parents, *choice.inspirations))
        assert len(set(choice.parents)) == len(choice.parents)
        assert not set(choice.parents) & set(choice.inspirations)


def test_the_fitter_are_chosen_more_often_but_not_alone() -> None:
    counts = Counter(choice.parents[0][2] for choice in draw(selector(1), 300))
    assert counts["5"] > counts["4"] > counts["0"]
    assert len(counts) >= 3


def test_operators_that_need_a_model_are_kept_apart() -> None:
    assert {c.operator for c in draw(selector(), 40, True)} == {"rewrite"}
    assert {c.operator for c in draw(selector(), 40, False)} == {"graft", "perturb"}


def test_every_direction_belongs_to_an_island_and_novelty_spreads_them() -> None:
    choices = draw(selector(), 120)
    assert {c.direction.name for c in choices} == {d.name for d in DIRECTIONS}
    homes = {(c.direction.name, c.island) for c in choices}
    assert len(homes) == len(DIRECTIONS), "an island keeps to its own directions"


def test_novelty_makes_prompts_more_diverse() -> None:
    def repeats(novelty: float) -> int:
        prompts = Counter((c.direction.name, c.operator, c.parents) for c in draw(selector(1, novelty), 150))
        return sum(n - 1 for n in prompts.values())

    assert repeats(2.0) < repeats(0.0)


def test_migrants_go_round_a_ring() -> None:
    assert [(target, elite.method) for target, elite in selector().migrants()] == [(1, "m05"), (2, "m15"), (0, "m25")]
    assert selector(1).migrants() == []


@pytest.mark.parametrize(("islands", "reset"), [(2, 1), (3, 1), (4, 2), (5, 2)])
def test_the_worst_half_is_reset_from_a_survivor(islands: int, reset: int) -> None:
    made = selector(islands)
    for island in range(islands):
        made.place(Elite(island, 9, f"best{island}", 1.0 + island))
    worst = made.worst()
    assert worst == list(range(reset))
    founder = made.founder(worst[0], worst, random.Random(0))
    assert founder is not None
    assert founder.island not in worst
    assert founder.method == f"best{founder.island}"


def test_a_lone_island_has_no_founder() -> None:
    assert selector(1).founder(0, [0], random.Random(0)) is None
