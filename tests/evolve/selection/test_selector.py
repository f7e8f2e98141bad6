from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial

from archives.grid import FlatPopulation
from archives.nouns import Elite, MethodRecord, Usage
from evolve.islands.islands import Islands
from evolve.selection.choice import Choice, Proposer, Reward
from evolve.selection.directions import EARNS, FAIR, LIVE, Directions
from evolve.selection.repairs import EVERY, OPEN
from evolve.selection.selector import Selector
from fitness.nouns import Direction
from fitness.tasks.directions import DIRECTIONS

FULL = [
    Proposer("rewrite", 1, "m"),
    Proposer("diff", 1, "m"),
    Proposer("fix", 1, "m", "failure"),
    Proposer("vary", 1, "m", "direction"),
]
WORTHLESS = Reward(False, 0.0, Usage("m", 1, 10, 10))


def held(islands: int) -> Islands:
    """Return islands of six elites each."""
    made = Islands(islands, FlatPopulation(99))
    for island in range(islands):
        for cell in range(6):
            made.place(Elite(island, cell, f"m{island}{cell}", cell / 10))
    return made


def selector(islands: int = 3, novelty: float = 0.5) -> Selector:
    sources = [Proposer("graft", 2, ""), Proposer("perturb", 1, ""), Proposer("rewrite", 1, "m")]
    return Selector(held(islands), [], sources, DIRECTIONS, novelty)


def whole(islands: int | Islands = 1) -> Selector:
    """Return a selector with every kind of source, on islands of six elites."""
    elites = islands if isinstance(islands, Islands) else held(islands)
    return Selector(elites, [], [*FULL, Proposer("perturb", 1, "")], DIRECTIONS, 0.5)


def draw(made: Selector, prompts: int, needs_model: bool | None = None) -> list[Choice]:
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


def test_a_cell_is_drawn_the_more_often_the_more_curious_it_is() -> None:
    def share(placed: bool) -> float:
        made = selector(1)
        for number in range(8):
            parent = Choice(0, "graft", "", DIRECTIONS[number], ("m04",), (), 0.5, 0.5, cell=4)
            made.learn(parent, Reward(placed, 0.0, Usage()))
        return sum(made.choose(3 * n, None, random.Random(n)).cell == 4 for n in range(300)) / 300

    assert share(True) > 1.5 * share(False)


def test_a_choice_names_the_cell_of_its_first_parent() -> None:
    assert all(choice.parents[0] == f"m{choice.island}{choice.cell}" for choice in draw(selector(), 30))


# failures


def fixes(made: Selector, numbers: range) -> list[Choice]:
    """Make model choices and return those that mend a failure."""
    found = []
    for number in numbers:
        choice = made.choose(number, True, random.Random(number))
        made.used(choice)
        if choice.operator == "fix":
            found.append(choice)
    return found


def fail(made: Selector, number: int, model: str = "m") -> Choice:
    """Let a proposal fail, whatever was chosen."""
    parent = f"m0{number % 6}"
    choice = Choice(0, "diff" if model else "perturb", model, DIRECTIONS[number % 12], (parent,), ("m01",), 0.5, 0.5)
    made.failed(choice, number)
    return choice


def test_without_a_failure_nothing_is_mended() -> None:
    assert fixes(whole(), range(200)) == []


def test_failures_are_mended_once_each_the_newest_first() -> None:
    made = whole()
    failed = {number: fail(made, number) for number in (11, 12, 13)}
    found = fixes(made, range(300))
    assert [choice.fixes for choice in found] == [13, 12, 11]
    for choice in found:
        broken = failed[choice.fixes or 0]
        assert (choice.parents, choice.direction, choice.model) == (broken.parents, broken.direction, "m")


def test_at_most_every_fourth_model_choice_mends() -> None:
    made, last = whole(), -1
    for number in range(300):
        fail(made, 1000 + number)
        choice = made.choose(number, True, random.Random(number))
        made.used(choice)
        if choice.operator == "fix":
            assert number - last >= EVERY
            last = number
    assert last > 250, "the bandit never gives it up"


def test_what_mended_a_failure_is_not_mended_nor_what_no_model_wrote() -> None:
    made = whole()
    fail(made, 11)
    (mended,) = fixes(made, range(200))
    made.failed(mended, 12)
    fail(made, 13, model="")
    assert fixes(made, range(200, 400)) == []


def test_only_the_newest_failures_wait() -> None:
    made = whole()
    for number in range(100, 100 + 3 * OPEN):
        fail(made, number)
    found = [choice.fixes for choice in fixes(made, range(2000))]
    assert found == list(range(99 + 3 * OPEN, 99 + 2 * OPEN, -1))


def test_a_failure_waits_where_it_happened_and_for_a_model() -> None:
    made = whole(2)
    fail(made, 11)
    assert all(choice.operator == "perturb" for choice in draw(made, 40, needs_model=False))
    assert {choice.island for choice in fixes(made, range(200))} == {0}


# directions


def test_every_third_elite_earns_a_direction_an_offspring() -> None:
    islands, name = held(1), DIRECTIONS[4].name
    made = whole(islands)
    asked = []
    for number in range(7):
        choice = Choice(0, "diff", "m", DIRECTIONS[4], ("m00",), (), 0.5, 0.5)
        islands.place(Elite(0, 2, f"child{number}", 0.9))
        made.learn(choice, Reward(True, 0.1, Usage(), f"child{number}"))
        assert made.choose(number, False, random.Random(number)).operator == "perturb", "that takes a model"
        following = made.choose(number, True, random.Random(number))
        made.used(following)
        if following.operator == "vary":
            asked.append(number)
            assert (following.direction.name, following.parents) == (name, (f"child{number}",))
    assert asked == [EARNS - 1, 2 * EARNS - 1]


def test_an_offspring_is_beside_the_best_elite_of_its_direction() -> None:
    islands, choice = held(1), Choice(0, "diff", "m", DIRECTIONS[4], ("m00",), (), 0.5, 0.5)
    made = whole(islands)
    for cell, fitness in ((0, 0.21), (1, 0.22), (2, 0.05)):
        islands.place(Elite(0, cell, f"child{cell}", fitness))
        made.learn(choice, Reward(True, 0.1, Usage(), f"child{cell}"))
    assert made.choose(1, True, random.Random(0)).parents == ("child1",), "not m05, which is fitter and another direction's"


def test_a_new_direction_lives_on_its_island_and_is_tried() -> None:
    made = whole(3)
    made.add_direction(Direction("mine", "Think again.", (), "m", DIRECTIONS[1].name), 1)
    assert {c.island for c in draw(made, 200) if c.direction.name == "mine"} == {1}
    assert made.directions[-1].name == "mine"


def test_making_directions_teaches_nothing_of_methods() -> None:
    made, other = whole(), whole()
    made.learn(Choice(0, "vary", "m", DIRECTIONS[0], ("m05",), (), 1.0, 0.5), WORTHLESS)
    assert draw(made, 60) == draw(other, 60)


def test_the_worst_direction_retires_when_there_are_too_many() -> None:
    directions = Directions(3, DIRECTIONS)
    for number in range(40):
        directions.add(Direction(f"new {number}", "", (), "m"), 0)
        for direction in directions.live(0):
            for _ in range(FAIR):
                directions.learn(direction.name, 0, direction.name == f"new {number}")
        live = [direction.name for direction in directions.live(0)]
        assert len(live) <= LIVE
        assert f"new {number}" in live
        assert any(direction.origin == "literature" for direction in directions.live(0))
    assert len(directions.all) == len(DIRECTIONS) + 40, "the retired are remembered"
    assert len(directions.live(1)) == len(directions.live(2)) == 4


def test_a_direction_that_makes_elites_is_drawn_more() -> None:
    directions = Directions(1, DIRECTIONS)
    for direction in DIRECTIONS:
        for number in range(12):
            directions.learn(direction.name, 0, direction is DIRECTIONS[3] and number % 2 == 0)
    rng = random.Random(0)
    counts = Counter(directions.ballot(0, lambda uses: 1.0, lambda direction: True).draw(rng)[0].name for _ in range(1000))
    assert counts.most_common(1)[0][0] == DIRECTIONS[3].name
    assert counts[DIRECTIONS[3].name] > 3 * counts[DIRECTIONS[4].name] > 0


# the bandit, and the whole state again


def test_the_operator_that_gains_is_chosen() -> None:
    made = whole()
    for number in range(40):
        for operator in ("rewrite", "diff"):
            gain = 0.1 * (number % 2) if operator == "diff" else 0.0
            choice = Choice(0, operator, "m", DIRECTIONS[number % 12], ("m00",), (), 0.5, 0.5)
            made.learn(choice, Reward(gain > 0, gain, Usage("m", 1, 10, 10, 0.01)))
    counts = Counter(choice.operator for choice in draw(made, 100, True))
    assert counts["diff"] > 90


def live(made: Selector, islands: Islands, proposals: int) -> list[Callable[[Selector], None]]:
    """Search for a while, with everything that may happen to a proposal; return the calls that tell of it."""
    calls: list[Callable[[Selector], None]] = []

    def tell(call: Callable[[Selector], None]) -> None:
        call(made)
        calls.append(call)

    for number in range(1, proposals + 1):
        rng = random.Random(f"world/{number}")
        choice = made.choose(number, rng.random() < 0.8, random.Random(number))
        tell(partial(Selector.used, choice=choice))
        reward, kind = WORTHLESS, rng.random()
        if choice.operator == "vary":
            new = Direction(f"new {number}", "", (), "m", choice.direction.name)
            tell(partial(Selector.add_direction, direction=new, island=choice.island))
        elif kind < 0.3:
            tell(partial(Selector.failed, choice=choice, proposal=number))
        elif kind < 0.7:
            sketch = tuple(rng.getrandbits(32) for _ in range(64))
            method = MethodRecord(f"c{number}", "", 1, "", "search", "", (), sketch)
            tell(partial(Selector.child, method=method))
            elite = Elite(choice.island, rng.randrange(30), f"c{number}", rng.random())
            islands.place(elite)
            reward = Reward(True, rng.random() / 10, Usage(choice.model, 1, 50, 50, 0.01), elite.method)
        tell(partial(Selector.learn, choice=choice, reward=reward))
    return calls


def test_a_selector_told_again_what_happened_chooses_the_same() -> None:
    islands, others = held(3), held(3)
    made, again = whole(islands), whole(others)
    calls = live(made, islands, 400)
    assert {arm.operator for arm in made.bandit.arms} == {"rewrite", "diff", "fix", "vary", "perturb"}
    for island in reversed([*islands]):
        for elite in reversed(island.ranked):
            others.place(elite)
    for call in calls:
        call(again)
    assert again.bandit.arms == made.bandit.arms
    assert again.directions == made.directions
    assert draw(again, 100, True) == draw(made, 100, True)
