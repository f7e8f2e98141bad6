"""Near-duplicates: what never runs makes no new method; everything else does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.screening.canonical import canonical
from evolve.screening.dead_code import walk
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess

BASE = """import math

import torch

RATE = 0.01


def helper(x, scale=2.0):
    if scale > 1:
        return x * scale
    return x


def method(problem):
    rows = problem.test_x
    return torch.sigmoid(helper(rows[:, 0]) * RATE + math.pi)
"""
UNUSED = (
    "import torch.nn.functional as F\n",
    "from torch import nn\n",
    "from math import sqrt, exp\n",
    "import numpy as np\n",
    "UNUSED = 3\n",
    "SHAPES = {'a': [1, -2.5], 'b': ()}\n",
    "SEED: int = 4\n",
    "def spare(x, y=1, *, z=None):\n    return x + y + RATE\n",
    "def spare(x: torch.Tensor, n: list[int]) -> tuple[float, ...]:\n    return other(x)\ndef other(x):\n    return spare(x)\n",
)
EFFECTS = (
    "torch.manual_seed(0)\n",
    "UNUSED = torch.zeros(3)\n",
    "UNUSED = 1 / 0\n",
    "from sklearn.experimental import enable_iterative_imputer\n",
    "from sklearn.cluster import NoSuchThing\n",
    "from math import no_such_function\n",
    "def spare(x, y=torch.manual_seed(0)):\n    return x\n",
    "def spare(x: NoSuchType):\n    return x\n",
    "@torch.no_grad()\ndef spare(x):\n    return x\n",
    "class Spare:\n    torch.manual_seed(0)\n",
    "for torch.x in range(3):\n    pass\n",
)


def with_line(line: str, after: str = "RATE = 0.01\n") -> str:
    return BASE.replace(after, after + line)


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    with WorkerProcess() as syntax:
        made = Screen(syntax)
        method = made.check(BASE).method
        assert method is not None
        made.remember(method)
        yield made


@pytest.mark.parametrize("line", UNUSED)
def test_what_method_does_not_reach_makes_no_new_method(screen: Screen, line: str) -> None:
    again = screen.check(with_line(line))
    first = canonical(BASE)
    assert again.duplicate == first.id
    assert again.reason == f"it differs from {first.id[:8]} only in code that never runs"
    assert canonical(with_line(line)).id != first.id, "the id is of the whole file"


@pytest.mark.parametrize("line", EFFECTS)
def test_what_has_an_effect_or_may_fail_is_no_dead_code(screen: Screen, line: str) -> None:
    assert screen.check(with_line(line)).method is not None


DEAD = [
    ("    return x\n", "    return x\n    print(x)\n"),
    ("        return x * scale\n", "        return x * scale\n        x.sort()\n"),
    ("    rows = problem.test_x\n", '    rows = problem.test_x\n    pass\n    "a note"\n'),
    ("        return x * scale\n    return x\n", "        return x * scale\n    else:\n        pass\n    return x\n"),
]


@pytest.mark.parametrize(("before", "after"), DEAD)
def test_statements_that_never_run_make_no_new_method(screen: Screen, before: str, after: str) -> None:
    assert before in BASE
    assert screen.check(BASE.replace(before, after)).duplicate == canonical(BASE).id


ALIVE = [
    ("x * scale", "x + scale"),
    ("scale > 1", "scale >= 1"),
    ("rows[:, 0]", "rows[:, 1]"),
    ("torch.sigmoid", "torch.tanh"),
    ("helper(rows[:, 0])", "helper(rows[:, 0], 2.0)"),
    ("scale=2.0", "scale=3.0"),
    ("RATE + math.pi", "RATE - math.pi"),
    ("RATE + math.pi", "RATE"),
    ("    return x\n", "    return x\n    RATE = 2\n"),  # a local name, then: reading it before fails
    ("    return x\n", "    return x\n    yield x\n"),  # a generator, then
    ("def method(problem):\n", "def method(problem):\n    globals()['RATE'] = 3\n"),
]


@pytest.mark.parametrize(("before", "after"), ALIVE)
def test_one_changed_operator_or_call_is_another_method(screen: Screen, before: str, after: str) -> None:
    assert before in BASE
    assert screen.check(BASE.replace(before, after)).method is not None


def test_a_file_that_looks_names_up_is_left_as_it_is(screen: Screen) -> None:
    looking = BASE.replace("* RATE", "* globals()['RATE']")
    assert canonical(looking).structure != canonical(looking.replace("RATE = 0.01", "RATE = 0.01\nUNUSED = 3")).structure


def test_dead_code_and_close_constants_together_are_near(screen: Screen) -> None:
    again = screen.check(with_line("UNUSED = 3\n").replace("0.01", "0.0101"))
    assert again.duplicate == canonical(BASE).id
    assert "less than 5 %" in again.reason


def test_the_nearest_of_several_is_named(screen: Screen) -> None:
    made = Screen(screen._worker)
    for rate in ("0.0100", "0.0106", "0.0112"):
        method = made.check(BASE.replace("0.01", rate)).method
        assert method is not None
        made.remember(method)
    again = made.check(with_line("UNUSED = 3\n").replace("0.01", "0.0106"))
    assert again.duplicate == canonical(BASE.replace("0.01", "0.0106")).id


SEEDS = sorted((Path(__file__).parents[3] / "seeds").glob("*.py"))


@given(st.sampled_from(SEEDS), st.lists(st.sampled_from(UNUSED), max_size=4), st.booleans())
def test_unused_code_anywhere_changes_the_id_only(path: Path, lines: list[str], first: bool) -> None:
    source = path.read_text()
    body = ast.parse(source).body
    at = 1 if first else len(body)  # after the docstring, or at the end
    added = [statement for line in lines for statement in ast.parse(line.replace(": torch.Tensor", "")).body]
    changed = ast.unparse(ast.Module([*body[:at], *_future(body, at), *added, *_rest(body, at)], []))
    plain, other = canonical(source), canonical(changed)
    assert (other.structure, other.constants, other.sketch) == (plain.structure, plain.constants, plain.sketch)
    assert (other.id == plain.id) == (not lines)


def _future(body: list[ast.stmt], at: int) -> list[ast.stmt]:
    return [s for s in body[at:] if isinstance(s, ast.ImportFrom) and s.module == "__future__"]


def _rest(body: list[ast.stmt], at: int) -> list[ast.stmt]:
    return [s for s in body[at:] if s not in _future(body, at)]


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[2].glob("*.py")), ids=lambda path: path.stem)
def test_walk_finds_what_ast_walk_finds_in_the_same_order(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert walk(tree) == list(ast.walk(tree))
