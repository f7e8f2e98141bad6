"""The operators that need no model, on methods of a task without a grammar: any files of any task."""

from __future__ import annotations

import ast
import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve import operators
from evolve.nouns import Brief, Draft, Edit, Exhibit, Tools
from evolve.operators.offline.editing import edit
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from fitness.nouns import Direction, Method

OFFLINE = ("graft", "perturb", "tune", "remove", "simplify")

# Each step says which file it is of and which numbers it has, so that what a child answers says what it is made of.
RED = '''"""Red."""

import math

SCALE = 2.5
DEPTH = math.floor(SCALE)


def label(text):
    return f"red{SCALE} {text}"


def first(x):
    """Look at it in red (Red 1901)."""
    return [*x, label("first")]


def second(x, width=DEPTH):
    return [*x, f"{label('second')} {width}"]


def method(problem):
    return second(first([]))
'''
BLUE = '''"""Blue."""

from functools import lru_cache

SCALE = 0.75
WIDE = 7


@lru_cache
def label(text):
    return f"blue{SCALE} {text}"


def first(rows):
    return rows + [label("first")]


def second(x, width=WIDE):
    return [*x, f"{label('second')} {width}"]


def method(problem):
    return second(first([]))
'''
STEPS = {"red2.5 first", "blue0.75 first"}, {"red2.5 second 2", "blue0.75 second 7"}


def answer(source: str, problem: object = 4.0) -> Any:
    """Run a file, and return what its method answers."""
    namespace: dict[str, Any] = {"__name__": "method"}
    exec(compile(source, "method", "exec"), namespace)
    return namespace["method"](problem)


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerProcess]:
    with WorkerProcess() as worker:
        yield worker


def children(operator: str, sources: list[str], focus: tuple[str, ...] = (), draws: int = 40) -> list[Edit]:
    """Return what an operator makes of these files, in so many draws."""
    return [edit(operator, sources, focus, seed) for seed in range(draws)]


def test_functions_of_one_name_are_exchanged_with_all_that_they_need_and_mean_what_they_meant() -> None:
    pool, answers = [RED, BLUE], set()
    for seed in range(90):
        made = edit("graft", random.Random(seed).sample(pool, 2), (), seed)
        if made.source is not None and "->" not in made.idea:  # no number was changed on top
            first, second = answer(made.source)
            assert first in STEPS[0]
            assert second in STEPS[1]
            answers.add((first, second))
            pool.append(made.source)
    assert answers == set(itertools.product(*STEPS)), "every combination is found"


def test_a_graft_says_which_function_it_replaced_and_where_that_comes_from() -> None:
    ideas = {made.idea for made in children("graft", [BLUE, RED])}
    assert any("replace first: Look at it in red (Red 1901)" in idea for idea in ideas)
    assert any("replace second: a step without a docstring" in idea for idea in ideas)


def test_an_exchanged_function_leaves_nothing_behind_that_no_one_needs() -> None:
    both = [m.source for m in children("graft", [BLUE, RED]) if m.source and answer(m.source)[1] == "red2.5 second 2"]
    assert both
    assert all("WIDE" not in source for source in both)


def test_a_direction_may_name_functions() -> None:
    def share(focus: str) -> float:
        return sum("replace second" in made.idea for made in children("graft", [BLUE, RED], (focus,), 40))

    assert share("second") > share("first")


PARENT = "def fit(x, rate=0.3):\n    return x * rate\n\n\ndef method(problem):\n    return {call}\n"
OTHER = "def fit({parameters}):\n    return x + 7.5\n\n\ndef method(problem):\n    return {use}\n"


@pytest.mark.parametrize(
    ("parameters", "call", "fits"),
    [
        ("x, rate=0.4", "fit(problem)", True),
        ("x, pace=0.4", "fit(problem)", True),
        ("x, pace=0.4", "fit(problem, rate=0.2)", False),
        ("x, pace", "fit(problem)", False),
        ("x, rate", "fit(problem, rate=0.2)", True),
        ("x", "fit(problem)", False),
        ("x, *more", "fit(problem, 0.2)", True),
        ("x, **more", "fit(problem, rate=0.2)", True),
        ("x, **more", "fit(problem, 0.2)", False),
        ("x, *, rate=0.4", "fit(problem, rate=0.2)", True),
        ("x, *, rate=0.4", "fit(problem, 0.2)", False),
        ("x, rate=0.4, /", "fit(problem, 0.2)", True),
        ("x, rate", "list(map(fit, [problem]))", False),
        ("x, rate=0.4", "list(map(fit, [problem]))[0]", True),
    ],
)
def test_a_function_is_taken_only_where_it_can_be_called_as_the_one_before_it(parameters: str, call: str, fits: bool) -> None:
    sources = [PARENT.format(call=call), OTHER.format(parameters=parameters, use="fit(problem, rate=1)")]
    made = [m for m in children("graft", sources, draws=8) if m.source]
    assert bool(made) == fits
    for child in made:
        assert child.source is not None
        assert re.search(r"x \+ [\d.]+", child.source)
        answer(child.source)


KINDS = {
    "plain": "def step(x):\n    return x\n",
    "async": "async def step(x):\n    return x\n",
    "generator": "def step(x):\n    yield x\n",
    "decorated": "from contextlib import contextmanager\n\n\n@contextmanager\ndef step(x):\n    yield x\n",
    "class": "class step:\n    def __init__(self, x):\n        self.x = x\n",
    "lambda": "step = lambda x: x\n",
}


@pytest.mark.parametrize(("own", "other"), list(itertools.permutations(KINDS, 2)))
def test_a_step_of_another_nature_is_not_taken(own: str, other: str) -> None:
    use = "\n\ndef method(problem):\n    return step(problem)\n"
    assert not any(made.source for made in children("graft", [KINDS[own] + use, KINDS[other] + use], draws=8))


def test_what_a_step_needs_when_it_is_defined_stands_before_it() -> None:
    late = "def step(x, k=3):\n    return x + k\n\n\ndef method(problem):\n    return step(problem) + K\n\n\nK = 5\n"
    donor = (
        "K = 5\nLAST = K * 2\n\n\ndef step(x, k=LAST):\n    return x - k\n\n\ndef method(problem):\n    return step(problem)\n"
    )
    child = next(m.source for m in children("graft", [late, donor]) if m.source and "; K" not in m.idea)
    assert child is not None
    assert answer(child, 4) == 4 - 10 + 5


def test_a_method_of_a_class_keeps_its_name_when_a_helper_of_that_name_is_renamed() -> None:
    donor = """def grow(x):
    return x * 10


class Net:
    def grow(self, x):
        return grow(x) + 1


def step(x):
    return Net().grow(x)


def method(problem):
    return step(problem)
"""
    parent = (
        "def grow(x):\n    return x\n\n\ndef step(x):\n    return x\n\n\ndef method(problem):\n    return grow(step(problem))\n"
    )
    made = [m for m in children("graft", [parent, donor]) if m.idea == "replace step: a step without a docstring"]
    assert made
    assert {answer(m.source, 4) for m in made if m.source} == {41}


@pytest.mark.parametrize(
    "binds",
    [
        "A, B = 3, 4",
        "if True:\n    B = 4",
        "try:\n    B = 4\nexcept Exception:\n    B = 5",
        "B = 4\nB += 1",
        "from math import *",
    ],
)
def test_a_step_that_needs_what_no_plain_definition_makes_stays_where_it_is(binds: str) -> None:
    name = "pi" if "import" in binds else "B"
    donor = f"{binds}\n\n\ndef step(x):\n    return x * {name}\n\n\ndef method(problem):\n    return step(problem)\n"
    parent = "def step(x):\n    return x + 0.7\n\n\ndef method(problem):\n    return step(problem)\n"
    (said,) = {made.problem for made in children("graft", [parent, donor])}
    assert said == f"graft: the donor's step needs {name}, which more than a plain definition makes"


def test_files_that_share_no_function_are_not_crossed_and_say_so() -> None:
    alone = "def method(problem):\n    return problem\n"
    for sources in ([alone, RED], [RED, alone], [alone, alone], [RED, RED]):
        (said,) = {made.problem for made in children("graft", sources, draws=4)}
        assert said == "graft: the donor has no function of the same name and parameters that differs from the method's own"
    (said,) = {made.problem for made in children("graft", [RED], draws=4)}
    assert said == "graft: there is no second method to take a step from"


PARTS = '''def clean(x):
    return x - 1


def method(problem):
    """Answer."""
    x = problem * 3.5
    x = clean(x)
    for _ in range(4):
        x = x + 2
    if x > 9:
        x += 100
    y = clean(x * 2)
    print()
    return clean(y)
'''


def test_remove_leaves_out_each_part_without_which_every_name_is_bound() -> None:
    ideas = {made.idea.split(";")[0] for made in children("remove", [PARTS], draws=100)}
    assert ideas == {
        "leave out of method: x = clean(x)",
        "leave out of method: for _ in range(4):",
        "leave out of method: if x > 9:",
        "leave out of method: print()",
        "leave out in method: clean(x * 2)",
        "leave out in method: clean(y)",
    }, "the only statement of a block stays"


@pytest.mark.parametrize("operator", OFFLINE)
def test_a_method_alone_has_children_that_run(operator: str) -> None:
    made = children(operator, [PARTS], draws=12)
    assert all((m.source is None) == bool(m.problem) for m in made)
    assert any(m.source for m in made) == (operator != "graft")
    for child in filter(None, (m.source for m in made)):
        answer(child)


def test_numbers_move_within_a_factor_of_four_whatever_they_are_called() -> None:
    source = "STEPS = 4000\n\n\ndef method(problem):\n    return problem + STEPS\n"
    seen = {answer(made.source, 0) for made in children("perturb", [source]) if made.source}
    assert len(seen) > 10
    assert all(1000 <= steps <= 16000 for steps in seen)


FRAGMENTS = {
    "future": "from __future__ import annotations\n",
    "imports": "import math\nimport numpy as np\nfrom functools import lru_cache, partial\n",
    "shadow": "import math as np2\n",
    "constant": "K = 1.5\nDEPTH = 3\n",
    "derived": "BASE = 2.5\nSCALED = BASE * 3\n",
    "two": "P, Q = 0.3, 0.7\n",
    "loose": "TABLE = {}\nTABLE['a'] = 1.25\n",
    "guard": "if 3 > 2:\n    LIMIT = 8.5\nelse:\n    LIMIT = 9.5\n",
    "class": "class Net:\n    rate = 0.25\n\n    def fit(self, x):\n        return fit(x) if self.rate > 1 else x\n",
    "decorated": "from functools import wraps\n\n\ndef twice(f):\n    @wraps(f)\n    def inner(*xs, **ks):\n"
    "        return f(*xs, **ks)\n"
    "\n    return inner\n\n\n@twice\ndef grow(x):\n    return x * 1.75\n",
    "async": "async def wait(x):\n    return x\n",
    "generator": "def each(x):\n    for i in range(3):\n        yield x + i\n",
    "nested": "def outer(x):\n    def inner(y, c=0.4):\n        nonlocal x\n        x = x + y * c\n"
    "        return x\n\n    return inner(x)\n",
    "stars": "def many(*xs, scale=0.6, **more):\n    return sum(xs) * scale\n",
    "typed": "def typed(x: float, n: int = 3) -> float:\n    return x * n\n",
    "lambda": "square = lambda x: x * x\n",
    "state": "COUNT = 0\n\n\ndef counted(x):\n    global COUNT\n    COUNT += 1\n    return x + COUNT\n",
    "walrus": "def walrus(x):\n    if (n := x * 2) > 1:\n        return n\n    return x\n",
    "match": "def matched(x):\n    match x:\n        case 0:\n            return 1.5\n        case _:\n            return x\n",
    "two on a line": "def terse(x):\n    a = x * 1.5; b = a + 2.5\n    a = b; a += 1\n    return a\n",
    "unicode": "def ünder(x):\n    '''Größe.'''\n    größe = 'äöü' and x * 2.25\n    return größe\n",
}
VARIANTS = {name: text.translate(str.maketrans("123456789", "234567891")) for name, text in FRAGMENTS.items()}


def of_fragments(names: list[str], other: bool) -> str:
    """Return a file of these fragments, or of their variants, whose method calls what functions there are."""
    chosen = [name for name in FRAGMENTS if name in names]
    texts = [(VARIANTS if other and name not in ("guard",) else FRAGMENTS)[name] for name in chosen]
    found = [
        n.name for n in ast.parse("".join(texts)).body if isinstance(n, ast.FunctionDef) and n.name not in ("twice", "each")
    ]
    calls = "".join(f"    x = {name}(x)\n" for name in found)
    return "\n\n".join(
        [
            *texts,
            f"def fit(x):\n    return x * {2.5 if other else 3.5}\n",
            f"def method(problem):\n    x = problem\n{calls}    return fit(x)\n",
        ]
    )


@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(FRAGMENTS)), max_size=8),
    st.lists(st.sampled_from(sorted(FRAGMENTS)), max_size=8),
    st.sampled_from(OFFLINE),
    st.integers(0, 2**32 - 1),
)
def test_every_child_of_any_files_passes_the_screen_and_can_be_run(
    worker: WorkerProcess, own: list[str], other: list[str], operator: str, seed: int
) -> None:
    sources = [of_fragments(own, False), of_fragments(other, True)]
    for source in sources:
        answer(source)
    made = edit(operator, sources, (), seed)
    assert (made.source is None) == bool(made.problem)
    if made.source is not None:
        assert made.idea
        assert "\n" not in made.idea
        assert not Screen(worker).parse(made.source).reason, made.source
        answer(made.source)


def test_operators_hold_no_word_of_one_task(root: Path) -> None:
    words = re.compile(r"weak|teacher|student|strong|beliefs|train_x|test_x|\bpgr\b", re.IGNORECASE)
    found = {
        f"{path.name}: {line}"
        for path in (root / "evolve" / "operators").rglob("*.py")
        for line in path.read_text().splitlines()
    }
    assert not [line for line in sorted(found) if words.search(line)]


def test_an_operator_of_a_task_without_a_grammar_proposes_through_the_worker(worker: WorkerProcess) -> None:
    brief = Brief(Direction("d", "", ()), tuple(Exhibit(Method(n, s, 1), n) for n, s in (("blue", BLUE), ("red", RED))))

    def proposed(name: str) -> Draft:
        return operators.load(name).propose(brief, Tools(worker), random.Random(1))

    assert proposed("graft").source is not None
    assert proposed("graft") == proposed("graft")
    assert proposed("insert").problem == "insert: the task has no grammar that says where a step could be added"
