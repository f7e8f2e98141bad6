"""The operator `tune`: constants by TPE, given how the family did; all other text stays as it was."""

import math
import random

import pytest

from evolve import operators
from evolve.nouns import Brief, Edit, Exhibit, Relative, Tools
from evolve.operators.offline.editing import edit
from evolve.screening.canonical import canonical
from evolve.screening.worker import WorkerProcess
from fitness.nouns import Direction, Method

PARENT = '''"""Trains; the order of its numbers in the text is not that of its syntax."""

import torch

RATE = 0.02  # found by hand
EPOCHS = 4


def temper(x, power=1.5):
    return x ** (0.3 if power > 7.5 else power)


def method(problem):
    w = problem.student.fit(problem.train_x, problem.weak, epochs=EPOCHS, lr=RATE)(problem.test_x)
    return temper(w)[:, 1]
'''
CONSTANTS = canonical(PARENT).constants
OPTIMUM = {0.02: 0.004, 4.0: 11.0, 1.5: 0.6}


def fitness(constants: tuple[float, ...], over: int) -> float:
    """Return a quadratic in the logarithm of some constants, 0 at the optimum."""
    wanted = [(CONSTANTS.index(start), best) for start, best in list(OPTIMUM.items())[:over]]
    return -sum(math.log(constants[i] / best) ** 2 for i, best in wanted)


def climb(operator: str, seed: int, over: int, rounds: int = 25) -> float:
    """Return the best fitness after some rounds that always start from the best so far."""
    family, found = [Relative(CONSTANTS, fitness(CONSTANTS, over))], {CONSTANTS: PARENT}
    for number in range(rounds):
        parent = found[max(family, key=lambda member: member.fitness).constants]
        child = edit(operator, [parent], (), 1_000 * seed + number, tuple(family)).source
        if child is not None:
            constants = canonical(child).constants
            family.append(Relative(constants, fitness(constants, over)))
            found.setdefault(constants, child)
    return max(member.fitness for member in family)


@pytest.mark.thorough
@pytest.mark.parametrize("over", [1, 3])
def test_it_comes_nearer_to_the_optimum_than_random_steps(over: int) -> None:
    tuned = [climb("tune", seed, over) for seed in range(6)]
    stepped = [climb("perturb", seed, over) for seed in range(6)]
    assert sum(tuned) > 0.5 * sum(stepped), "the mean distance is less than half"
    assert min(tuned) > min(stepped)
    assert min(tuned) > 0.2 * fitness(CONSTANTS, over)


def test_only_constants_change_and_the_rest_of_the_file_is_as_it_was() -> None:
    for seed in range(10):
        child = edit("tune", [PARENT], (), seed, (Relative(CONSTANTS, 0.1),)).source
        assert child is not None
        assert canonical(child).structure == canonical(PARENT).structure
        assert child.splitlines()[0] == PARENT.splitlines()[0]
        assert "  # found by hand" in child
        (epochs,) = (line for line in child.splitlines() if line.startswith("EPOCHS = "))
        assert epochs.removeprefix("EPOCHS = ").isdigit()


def test_the_same_seed_and_family_give_the_same_child() -> None:
    family = (Relative(CONSTANTS, 0.1), Relative((0.01, *CONSTANTS[1:]), 0.3))
    assert [edit("tune", [PARENT], (), s, family) for s in range(5)] == [
        edit("tune", [PARENT], (), s, family) for s in range(5)
    ]
    assert len({edit("tune", [PARENT], (), seed, family).source for seed in range(5)}) > 1


def test_what_the_family_says_matters() -> None:
    """The same parent and seeds, and two families that disagree about which way is up."""
    low = tuple(Relative((0.02 * 0.8**n, *CONSTANTS[1:]), 0.1 * n) for n in range(6))
    high = tuple(Relative((0.02 * 0.8**n, *CONSTANTS[1:]), -0.1 * n) for n in range(6))

    def rates(family: tuple[Relative, ...]) -> list[float]:
        return sorted(canonical(edit("tune", [PARENT], (), seed, family).source or PARENT).constants[0] for seed in range(15))

    assert rates(low)[7] < 0.75 * rates(high)[7]


@pytest.mark.parametrize(
    "odd",
    [
        Relative((), 0.5),
        Relative(CONSTANTS[:-1], 0.5),
        Relative((*CONSTANTS, 1.0), 0.5),
        Relative((-1.0, *CONSTANTS[1:]), 0.5),
        Relative((1e300, *CONSTANTS[1:]), 0.5),
        Relative((float("nan"), *CONSTANTS[1:]), 0.5),
        Relative((0.02, 4.5, *CONSTANTS[2:]), 0.5),
        Relative(CONSTANTS, float("nan")),
        Relative(CONSTANTS, float("inf")),
    ],
)
def test_members_that_do_not_fit_are_left_out(odd: Relative) -> None:
    made = edit("tune", [PARENT], (), 3, (odd, Relative(CONSTANTS, 0.1)))
    assert made.source is not None
    assert made.problem == ""


def test_a_child_is_no_near_duplicate_of_a_member() -> None:
    steps = [0.02 * 4 ** (n / 40) for n in range(-40, 41)]
    source = "RATE = 0.02\n\n\ndef method(problem):\n    return problem.weak[:, 1] * RATE\n"
    parent = canonical(source).constants
    made = edit("tune", [source], (), 1, tuple(Relative((step, *parent[1:]), 0.0) for step in steps))
    assert made == Edit(None, "", "tune: the constants that Optuna proposes are known already")


def test_a_method_without_constants_cannot_be_tuned() -> None:
    made = edit("tune", ["def method(problem):\n    return problem.weak[:, 1]\n"], (), 1)
    assert made == Edit(None, "", "tune: it has no constants to tune")


def test_of_many_constants_some_are_tuned() -> None:
    names = [f"K_{i}" for i in range(30)]
    source = "\n".join(f"{name} = {3 + i}.5" for i, name in enumerate(names))
    source += f"\n\n\ndef method(problem):\n    return problem.weak[:, 1] * ({' + '.join(names)})\n"
    start = canonical(source).constants
    family = tuple(Relative(tuple(c * 1.1 if (i + n) % 2 else c for i, c in enumerate(start)), n) for n in range(3))
    child = canonical(edit("tune", [source], (), 1, family).source or source).constants
    assert 1 <= sum(a != b for a, b in zip(start, child, strict=True)) <= 8


def test_the_worker_tunes_within_its_limits_and_hands_the_family_on() -> None:
    random_numbers = random.Random(0)
    family = tuple(
        Relative(
            (random_numbers.uniform(0.01, 0.04), float(random_numbers.randint(2, 12)), *CONSTANTS[2:]), random_numbers.random()
        )
        for _ in range(300)
    )
    exhibit = Exhibit(Method(canonical(PARENT).id, PARENT, 60), "parent")
    brief = Brief(Direction("again", "", ("rounds",)), (exhibit,), family=family)
    with WorkerProcess() as syntax:
        draft = operators.load("tune").propose(brief, Tools(syntax), random.Random(3))
        again = operators.load("tune").propose(brief, Tools(syntax), random.Random(3))
        alone = operators.load("tune").propose(Brief(brief.direction, (exhibit,)), Tools(syntax), random.Random(3))
    assert draft.problem == ""
    assert draft == again
    assert alone.source not in (None, draft.source)
