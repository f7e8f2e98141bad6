"""What goes with a first parent: second parents by what they would add, directions that it can take up."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from archives.grid import FlatPopulation
from archives.nouns import Elite, MethodRecord
from evolve.islands.islands import Islands
from evolve.selection.choice import Choice, Proposer
from evolve.selection.pairing import CONSIDERED, Pairing, Uptake, idle_steps, partners
from evolve.selection.parents import SELECTION_PRESSURE
from evolve.selection.selector import BY_RANK, Selector
from fitness.nouns import Direction
from fitness.tasks.directions import DIRECTIONS
from fitness.tasks.embedded.grammar import GRAMMAR
from fitness.tasks.task import SEEDS

COMPANY = ["a", "b", "c", "d", "first"]  # from the least fit to the fittest
PAIR = Proposer("cross", 2, "m")


def nobody(one: str, other: str) -> bool:
    return False


def drawn(adds: Callable[[str, str], float | None], company: list[str] = COMPANY, times: int = 4000) -> Counter[str]:
    rng, counts = random.Random(0), Counter[str]()
    for _ in range(times):
        counts.update(partners(company, "first", adds, nobody, rng).draw(1, rng))
    return counts


# second parents


def test_a_partner_is_as_likely_as_what_it_adds_times_its_rank() -> None:
    shares = {"a": 0.4, "b": 0.1, "c": 0.0, "d": 0.05}
    found = partners(COMPANY, "first", lambda one, other: shares[other], nobody, random.Random(0))
    step = 2 ** (SELECTION_PRESSURE / 4)
    assert found.weights == pytest.approx({"a": 0.4, "b": 0.1 * step, "c": 0.0, "d": 0.05 * step**3})
    assert found.adds == shares
    counts = drawn(lambda one, other: shares[other])
    assert counts["c"] == 0
    assert counts["a"] / counts["b"] == pytest.approx(2.0, rel=0.2)


def test_a_near_copy_that_adds_nothing_is_never_drawn_while_there_is_another() -> None:
    assert set(drawn(lambda one, other: 0.01 if other == "a" else 0.0)) == {"a"}


def test_a_method_with_other_constants_alone_is_not_drawn_and_not_asked_about() -> None:
    asked: list[str] = []

    def adds(one: str, other: str) -> float:
        asked.append(other)
        return 0.3 if other == "d" else 0.02

    found = partners(COMPANY, "first", adds, lambda one, other: other == "d", random.Random(0))
    assert "d" not in asked
    assert (found.weights["d"], found.adds.get("d")) == (0.0, None)


def test_where_nothing_adds_anything_or_nobody_knows_rank_decides() -> None:
    nothing, unknown = drawn(lambda one, other: 0.0), drawn(lambda one, other: None)
    assert nothing == unknown
    assert nothing["d"] > nothing["c"] > nothing["b"] > nothing["a"] > 0


def test_a_method_of_which_nobody_knows_counts_as_the_others_do_on_the_average() -> None:
    shares = {"a": None, "b": 0.1, "c": 0.3, "d": 0.0}
    found = partners(COMPANY, "first", lambda one, other: shares[other], nobody, random.Random(0))
    assert found.weights["a"] == pytest.approx(0.4 / 3)
    assert found.adds["a"] is None


def test_so_many_are_asked_about_however_many_there_are() -> None:
    company = [f"m{number}" for number in range(1000)] + ["first"]
    found = partners(company, "first", lambda one, other: 0.1, nobody, random.Random(0))
    assert len(found.adds) == CONSIDERED
    assert partners(["first"], "first", lambda one, other: 0.1, nobody, random.Random(0)).draw(1, random.Random(0)) == []


def test_several_partners_are_different_ones() -> None:
    found = partners(COMPANY, "first", lambda one, other: 0.1 if other == "a" else 0.0, nobody, random.Random(0))
    rng = random.Random(1)
    assert all(sorted(found.draw(9, rng)) == ["a", "b", "c", "d"] for _ in range(20))
    assert all(found.draw(2, rng)[0] == "a" for _ in range(20))


# whole choices


def selector(pairing: Pairing, directions: tuple[Direction, ...] = DIRECTIONS) -> Selector:
    islands = Islands(1, FlatPopulation(99))
    for cell in range(6):
        islands.place(Elite(0, cell, f"m{cell}", cell / 10))
    return Selector(islands, [], [PAIR, Proposer("perturb", 1, "")], directions, 0.5, pairing=pairing)


def always(method: str, direction: Direction) -> bool:
    return True


def choices(made: Selector, count: int = 80) -> list[Choice]:
    found = []
    for number in range(count):
        found.append(made.choose(number, None, random.Random(number)))
        made.used(found[-1])
    return found


def test_the_second_parent_is_the_one_that_mends_what_the_first_has_wrong() -> None:
    def mends(one: str, other: str) -> float:
        return 0.2 if int(other[1]) == (int(one[1]) + 1) % 6 else 0.0

    crossed = [choice for choice in choices(selector(Pairing(mends, always))) if choice.operator == "cross"]
    assert len(crossed) > 20
    assert all(int(b[1]) == (int(a[1]) + 1) % 6 for a, b in (choice.parents for choice in crossed))


def test_a_choice_says_by_which_numbers_it_was_made() -> None:
    def adds(one: str, other: str) -> float:
        return int(one[1]) / 10 + int(other[1]) / 100

    for choice in choices(selector(Pairing(adds, always))):
        assert {other for other, _ in choice.pairs} == {f"m{n}" for n in range(6)} - {choice.parents[0]}
        assert all(share == adds(choice.parents[0], other) for other, share in choice.pairs)
    assert all(not choice.pairs for choice in choices(selector(BY_RANK)))


def test_methods_that_differ_in_constants_only_are_not_crossed_while_there_are_others() -> None:
    made = selector(Pairing(lambda one, other: 0.1, always))
    for cell in range(6):
        made.child(MethodRecord(f"m{cell}", f"m{cell}", "", "seed", "", 9, (), (cell // 2,) * 8))
    crossed = [choice.parents for choice in choices(made) if choice.operator == "cross"]
    assert len(crossed) > 20
    assert all(int(a[1]) // 2 != int(b[1]) // 2 for a, b in crossed)


# directions

LEARNT = (
    "def head(problem, x, targets, weights=None, loss=None):\n    return problem.student.fit(x, targets, weights, loss=loss)\n"
)
CLOSED = "def head(problem, x, targets, weights=None, loss=None):\n    return solve(x.T @ (weights * x), targets)\n"
NAMED = {direction.name: direction for direction in DIRECTIONS}


def test_a_step_that_the_core_never_reads_is_idle_in_a_file() -> None:
    assert idle_steps(GRAMMAR, LEARNT) == set()
    assert idle_steps(GRAMMAR, CLOSED) == {"loss"}
    assert (
        idle_steps(GRAMMAR, CLOSED.replace("return solve", "each = lambda row: [loss(row) for _ in x]\n    return solve"))
        == set()
    )
    assert idle_steps(GRAMMAR, CLOSED.replace("weights * x", "x").replace("weights=None, loss=None", "w, l")) == {
        "weigh",
        "loss",
    }


@pytest.mark.parametrize(
    "source", ["def method(problem):\n    return 1\n", "def head(x):\n    return x\n", "def (", "\0", "((" * 9999]
)
def test_of_a_file_that_does_not_follow_the_grammar_nothing_is_said(source: str) -> None:
    assert idle_steps(GRAMMAR, source) == set()


def test_a_direction_about_losses_is_not_for_a_head_that_reads_none() -> None:
    takes_up = Uptake(GRAMMAR, {"learnt": LEARNT, "closed": CLOSED}.__getitem__)
    losses = NAMED["robust losses"]
    assert takes_up("learnt", losses)
    assert not takes_up("closed", losses)
    assert all(takes_up("closed", direction) for direction in DIRECTIONS if direction != losses)


def test_without_a_grammar_or_a_focus_every_direction_is_taken_up() -> None:
    def unread(method: str) -> str:
        raise AssertionError("no file is looked at")

    assert Uptake(None, unread)("m", NAMED["robust losses"])
    assert Uptake(GRAMMAR, unread)("m", Direction("vague", "Think.", ()))
    assert Uptake(GRAMMAR, unread)("m", Direction("heads", "Think of heads.", ("head",)))


def test_no_parent_is_given_a_direction_that_it_cannot_take_up_unless_there_is_no_other() -> None:
    def odd(method: str, direction: Direction) -> bool:
        return int(method[1]) % 2 == 1 and direction.name != "geometry"

    found = choices(selector(Pairing(None, odd)), 200)
    assert {choice.direction.name for choice in found if int(choice.parents[0][1]) % 2} == set(NAMED) - {"geometry"}
    assert {choice.direction.name for choice in found if not int(choice.parents[0][1]) % 2} == set(NAMED)


def test_each_file_is_looked_at_once() -> None:
    looked: list[str] = []

    def source(method: str) -> str:
        looked.append(method)
        return CLOSED

    takes_up = Uptake(GRAMMAR, source)
    for _ in range(5):
        takes_up("m", NAMED["robust losses"])
    assert looked == ["m"]


def test_of_the_baselines_some_cannot_take_up_losses(root: Path) -> None:
    idle = {path.stem: idle_steps(GRAMMAR, path.read_text()) for path in SEEDS.glob("[!_]*.py")}
    assert "loss" in idle["lda"]
    assert "loss" not in idle["vanilla"]
