"""The contract of the operators that need no model, over every such entry of the table."""

import ast
import random
from collections import Counter
from pathlib import Path

import pytest

from evolve import operators
from evolve.nouns import Brief, Edit, Exhibit, Tools
from evolve.operators.offline import editing, numbers, script
from evolve.operators.offline.base import Offline
from evolve.operators.offline.numbers import named, places
from evolve.operators.offline.script import Script
from evolve.screening.canonical import canonical
from evolve.screening.worker import WorkerProcess
from fitness.nouns import Direction, Method
from fitness.tasks.embedded.grammar import GRAMMAR, PACE

SEEDS = {path.stem: path.read_text() for path in sorted(Path(__file__).parents[3].joinpath("seeds").glob("*.py"))}
OFFLINE = [name for name in operators.TABLE if isinstance(operators.load(name), Offline)]
DRAWS = 60
ORDER = GRAMMAR.order

FOREIGN = """
import numpy as np
import torch

RIDGE = 0.25


def shape(a, b, c):
    return a + b + c


def solve(x, y):
    gram = x.T @ x + RIDGE * torch.eye(x.shape[1])
    return torch.linalg.solve(gram, x.T @ (2 * y - 1))


def method(problem):
    w = solve(problem.train_x, problem.weak[:, 1])
    w = w * shape(0, 0, 1)
    return torch.sigmoid(3.5 * (problem.test_x @ w))
"""
COLLIDING = '''"""Its EPOCHS are not the epochs of another file."""

EPOCHS = 3


def helper(b):
    return b * EPOCHS


def shape(beliefs):
    return helper(beliefs)


def head(problem, x, targets, weights=None, loss=None):
    return problem.student.fit(x, targets, weights)


def method(problem):
    train, test = problem.train_x, problem.test_x
    beliefs = problem.weak
    targets = shape(beliefs)
    predictor = head(problem, train, targets)
    return predictor(test)
'''
UNUSED = FOREIGN + "\n\ndef forgotten(x):\n    return np.abs(x)\n"
ODD = {
    "empty": "",
    "no method": "x = 1\n",
    "method is a number": "method = 3\n",
    "only a comment": "# nothing here\n",
    "does not compile": "def method(problem:\n",
    "loose statements": "import torch\nif torch:\n    K = 3.5\n\n\ndef method(problem):\n    return problem.weak[:, 1] * K\n",
    "star import": "from math import *\n\n\ndef method(problem):\n    return problem.test_x[:, 0] * 0 + 0.7\n",
    "another signature": "def head(x):\n    return x\n\n\ndef method(problem):\n    return head(problem.test_x)[:, 0]\n",
    "lambda": "method = lambda problem: problem.test_x[:, 0].sigmoid()\n",
    "twice": "def method(problem):\n    return 1\n\n\ndef method(problem):\n    return problem.test_x[:, 0] * 0.3\n",
    "null byte": "def method(problem):\n    return '\0'\n",
    "class": "class Fit:\n    rate = 0.3\n\n\ndef method(problem):\n    return problem.test_x[:, 0] * 0 + Fit.rate\n",
}


def edit(operator: str, sources: list[str], focus: tuple[str, ...], seed: int) -> Edit:
    return editing.edit(operator, sources, focus, seed, grammar=GRAMMAR)


def parse(source: str) -> Script:
    return script.parse(source, GRAMMAR)


def cost(script: Script) -> float:
    return numbers.cost(script, PACE)


def draws(operator: str, n: int = DRAWS) -> list[tuple[list[str], Edit]]:
    """Return n draws of an operator: the sources it was given, and what it made of them."""
    made = []
    for seed in range(n):
        sources = random.Random(seed).sample(list(SEEDS.values()), 4)
        made.append((sources, edit(operator, sources, ("rounds", "head"), seed)))
    return made


@pytest.mark.parametrize("operator", OFFLINE)
def test_children_are_valid_and_different(operator: str) -> None:
    good = 0
    for sources, made in draws(operator):
        if made.source is None:
            assert made.problem
            continue
        compile(made.source, "child", "exec")
        assert canonical(made.source).id != canonical(sources[0]).id
        assert made.idea
        assert "\n" not in made.idea
        assert not made.problem
        good += 1
    assert good >= 0.8 * DRAWS


@pytest.mark.parametrize("operator", OFFLINE)
def test_children_stay_in_the_grammar_and_are_not_slow(operator: str) -> None:
    for sources, made in draws(operator, 30):
        if made.source is not None:
            child = parse(made.source)
            assert child.grammatical
            assert cost(child) <= max(PACE.slowest, cost(parse(sources[0])))


def test_one_fit_is_quick_and_what_repeats_inside_a_repetition_is_slow() -> None:
    assert all(cost(parse(SEEDS[name])) < PACE.slowest for name in ("vanilla", "auxconf", "consistency", "lda"))
    once = SEEDS["consistency"]
    assert cost(parse(once)) < PACE.slowest < cost(parse(once.replace("STEPS =", "ITERATIONS = 3\nSTEPS =")))


def test_rounds_of_a_head_in_closed_form_are_quicker_than_one_fit_of_the_default_student() -> None:
    rounds = SEEDS["lda"].replace("COMPONENTS = 8", "COMPONENTS = 8\nROUNDS = 8")
    assert cost(parse(SEEDS["lda"])) < cost(parse(rounds)) < cost(parse(SEEDS["vanilla"]))


@pytest.mark.parametrize("operator", OFFLINE)
def test_the_same_seed_gives_the_same_child(operator: str) -> None:
    assert [made for _, made in draws(operator, 10)] == [made for _, made in draws(operator, 10)]


@pytest.mark.parametrize("operator", OFFLINE)
@pytest.mark.parametrize("name", ODD)
def test_odd_parents_and_donors_never_raise(operator: str, name: str) -> None:
    for sources in ([ODD[name], *SEEDS.values()][:4], [ODD[name]], [SEEDS["lda"], ODD[name]]):
        for seed in range(3):
            made = edit(operator, sources, (), seed)
            assert (made.source is None) == bool(made.problem)
            if made.source is not None:
                compile(made.source, "child", "exec")


@pytest.mark.parametrize("operator", ["graft", "insert", "perturb"])
def test_a_method_outside_the_grammar_has_children(operator: str) -> None:
    made = [edit(operator, [FOREIGN, SEEDS["selftrain"], SEEDS["knn"]], (), seed) for seed in range(20)]
    assert sum(m.source is not None for m in made) >= 16
    for child in filter(None, (m.source for m in made)):
        assert "RIDGE" in child
        assert canonical(child).id != canonical(FOREIGN).id


def test_a_method_outside_the_grammar_can_be_a_donor() -> None:
    made = [edit("graft", [SEEDS["selftrain"], FOREIGN], (), seed).source for seed in range(10)]
    assert any(source is not None and "RIDGE" in source for source in made)


def test_simplify_drops_what_a_foreign_method_does_not_use() -> None:
    child = edit("simplify", [UNUSED], (), 0).source
    assert child is not None
    assert "forgotten" not in child
    assert "numpy" not in child


def functions(source: str) -> Counter[str]:
    """Return the bodies of a source's functions, with every name and number blanked."""
    found: Counter[str] = Counter()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name != "method":
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name):
                    inner.id = "_"
                elif isinstance(inner, ast.Constant) and not isinstance(inner.value, str):
                    inner.value = 0
            node.name = node.name.rstrip("_0123456789")
            found[ast.dump(node)] += 1
    return found


@pytest.mark.parametrize("operator", ["graft", "insert"])
def test_grafts_use_only_what_is_in_the_given_sources(operator: str) -> None:
    for sources, made in draws(operator):
        if made.source is not None:
            known = set().union(*(functions(source) for source in sources))
            assert set(functions(made.source)) <= known


def test_after_generations_every_step_is_still_one_of_a_cited_human_baseline() -> None:
    known, rng = set[str]().union(*map(functions, SEEDS.values())), random.Random(0)
    pool, bred = list(SEEDS.values()), 0
    for _ in range(150):
        made = edit(rng.choice(["graft", "insert", "remove", "perturb"]), rng.sample(pool, 3), (), rng.getrandbits(32))
        if made.source is not None:
            assert set(functions(made.source)) <= known
            pool.append(made.source)
            bred += 1
    assert bred > 75


def test_a_graft_brings_its_constants_and_renames_what_collides() -> None:
    first = COLLIDING
    assert parse(first).grammatical
    children = [edit("graft", [first, SEEDS["vanilla_soft"]], ("head",), seed).source for seed in range(40)]
    grafted = [child for child in children if child is not None and "EPOCHS_2 = 8" in child]
    assert grafted
    for child in grafted:
        assert "epochs=EPOCHS_2" in child
        assert "b * EPOCHS\n" in child


def test_a_loss_is_not_given_to_a_head_that_ignores_it() -> None:
    for seed in range(30):
        made = edit("graft", [SEEDS["lda"], SEEDS["gce"]], ("loss",), seed)
        if made.source is not None:
            child = parse(made.source)
            assert "loss" not in child.steps or "student" in child.definitions["head"].code


def test_numbers_keep_their_kind_and_their_bounds() -> None:
    source = SEEDS["selftrain"]
    for seed in range(60):
        child = edit("perturb", [source], (), seed).source
        if child is not None:
            numbers = named(parse(child))
            assert isinstance(numbers["ROUNDS"], int)
            assert 2 <= numbers["ROUNDS"] <= 16
            assert isinstance(numbers["FRACTION"], float)
            assert 0 < numbers["FRACTION"] <= 1
            assert 1e-4 <= numbers["LEARNING_RATE"] <= 3e-2


def test_numbers_inside_functions_of_foreign_methods_can_change() -> None:
    assert {place.value for place in places(parse(FOREIGN))} == {0.25, 3.5}


def test_two_equal_constants_become_one() -> None:
    source = SEEDS["vanilla"].replace("EPOCHS = 8", "EPOCHS = 8\nEPOCHS_2 = 8").replace("lr=", "batch=16 * EPOCHS_2, lr=")
    child = edit("simplify", [source], (), 0).source
    assert child is not None
    assert "EPOCHS_2" not in child
    assert "batch=16 * EPOCHS," in child


def test_a_step_that_does_nothing_is_dropped() -> None:
    source = SEEDS["knn"].replace("return (centred + 1 / centred.shape[1]).clamp(0, 1)", "return probabilities")
    source = source.replace("    centred = probabilities - reference.median(0).values\n", "")
    assert "finish" in parse(source).steps
    child = edit("simplify", [source], (), 0).source
    assert child is not None
    assert "finish" not in parse(child).steps
    assert set(parse(child).steps) == {"represent", "weigh", "head"}


def test_focus_is_preferred() -> None:
    def share(focus: tuple[str, ...]) -> float:
        ideas = [edit("graft", [SEEDS["vanilla"], SEEDS["selftrain"]], focus, seed).idea for seed in range(60)]
        return sum("add rounds" in idea for idea in ideas) / len(ideas)

    assert share(("rounds",)) > share(("select", "shape", "head"))


def test_an_unknown_operator_lists_the_known_ones() -> None:
    with pytest.raises(Exception, match=r"unknown operator 'grft'.*graft, perturb"):
        operators.load("grft")


def test_an_operator_proposes_through_the_syntax_worker() -> None:
    names = ("lda", "selftrain")
    exhibits = tuple(Exhibit(Method(name, SEEDS[name], 0), name) for name in names)
    brief = Brief(Direction("again", "", ("rounds",)), exhibits)
    with WorkerProcess() as syntax:
        draft = operators.load("graft").propose(brief, Tools(syntax, grammar=GRAMMAR), random.Random(3))
        again = operators.load("graft").propose(brief, Tools(syntax, grammar=GRAMMAR), random.Random(3))
    assert draft.source is not None
    assert draft == again
    assert set(parse(draft.source).steps) <= set(ORDER)


def test_statements_that_define_nothing_stay_where_they_were() -> None:
    source = "import torch\n\ntorch.manual_seed(3)\nA, B = 0.3, 0.4\nK = 0.7\n\n\ndef method(problem):\n"
    source += "    return problem.test_x[:, 0] * 0 + A + B * K\n"
    for seed in range(5):
        child = edit("perturb", [source], (), seed).source
        assert child is not None
        lines = [line.split("=")[0].strip() for line in child.splitlines() if line and not line.startswith((" ", '"'))]
        assert lines == ["import torch", "torch.manual_seed(3)", "A, B", "K", "def method(problem):"]


OWN = """
from evolve.operators.offline.base import Change, Offline


class Double(Offline):
    name = "double"
    structural = False

    def change(self, script, material, rng):
        return Change(script, "twice as often", material.source.replace("epochs=", "epochs=2 * "))
"""


def test_an_operator_in_a_file_of_ones_own_edits_in_the_worker(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    operator = operators.load(f"{path}:Double")
    brief = Brief(Direction("d", "", ()), (Exhibit(Method("v", SEEDS["vanilla"], 1), "v"),))
    with WorkerProcess() as worker:
        draft = operator.propose(brief, Tools(worker, grammar=GRAMMAR), random.Random(0))
    assert (draft.idea, draft.problem) == ("twice as often", "")
    assert draft.source is not None
    assert "epochs=2 * " in draft.source
