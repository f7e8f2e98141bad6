"""Repairing a model's file: what comes back, what goes, and that a good file is returned to the byte."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.operators.llm.conversation import REPAIR, SECONDS
from evolve.operators.llm.repair import repair
from evolve.screening.worker import WorkerProcess

SEEDS = [path.read_text() for path in sorted(Path(__file__).parents[3].joinpath("seeds").glob("*.py"))]
PARENT = """import os
import torch, torch.nn
import torch.nn.functional as F
from sklearn import datasets, linear_model as lm
from math import *
from numpy import pi


def method(problem):
    return F.relu(problem.weak)[:, 1] * pi
"""
BODY = '''"""What it does."""

from __future__ import annotations

K = 3


def method(problem):
    return F.relu(torch.nn.functional.softmax(problem.weak, 1))[:, 1] / K
'''
PROGRAM = '\n\nprint("loaded", K)\n\nif "__main__" == __name__:\n    print(method(None))\n'
FIRM = {
    "another way on": f"{BODY}\n\nif __name__ == '__main__':\n    K = 1\nelse:\n    K = 2\n",
    "a call inside a print": f"{BODY}\n\nprint(torch.manual_seed(3))\n",
    "an assignment inside a print": f"{BODY}\n\nprint(L := 3)\n",
    "a print of its own": f"{BODY}\n\ndef print(x):\n    global L\n    L = x\n\n\nprint(3)\n",
    "another comparison": f"{BODY}\n\nif __name__ != '__main__':\n    K = 2\n",
    "a print in a function": BODY.replace("    return", '    print("x")\n    return'),
    "no Python": "def method(problem:\n",
    "nothing": "",
    "a null byte": "x = '\0'\n",
    "a surrogate": "x = '\ud800'\n",
    "names from a star": "from math import *\n\n\ndef method(problem):\n    return torch.sigmoid(problem.weak)\n",
    "a name of a function": "def method(problem):\n    torch = problem\n    return torch.weak\n",
    "a global of a function": "def method(problem):\n    global torch\n    torch = problem\n    return torch.weak\n",
    "a conditional import": "try:\n    import torch\nexcept ImportError:\n    pass\n\n\ndef method(p):\n    return torch.e\n",
    "a builtin": "def method(problem):\n    return max(problem.weak)\n",
}


@pytest.mark.parametrize("source", SEEDS)
def test_a_good_file_is_returned_to_the_byte(source: str) -> None:
    assert repair(source, [PARENT, *SEEDS]) == source
    assert repair(f"\n{source}\n# end", [PARENT, *SEEDS]) == f"\n{source}\n# end"


@pytest.mark.parametrize("name", FIRM)
def test_what_could_mean_something_else_is_left_as_it_is(name: str) -> None:
    others = [] if "F.relu" in FIRM[name] else [PARENT]
    assert repair(FIRM[name], others) == FIRM[name]


def test_imports_come_back_behind_docstring_and_future_and_nothing_else_changes() -> None:
    child = repair(BODY, [PARENT])
    new = "\nimport torch.nn.functional as F\nimport torch\nimport torch.nn\n"
    assert child == BODY.replace("annotations\n", f"annotations\n{new}", 1)


@pytest.mark.parametrize(
    ("use", "line"),
    [("lm.Ridge", "from sklearn import linear_model as lm"), ("pi", "from numpy import pi"), ("os.sep", ""), ("datasets", "")],
)
def test_only_allowed_imports_come_back_and_only_those_in_use(use: str, line: str) -> None:
    source = f"def method(problem):\n    return {use}\n"
    child = repair(source, [PARENT])
    assert child == (f"{line}\n{source}" if line else source)


def test_the_first_method_that_imports_a_name_decides() -> None:
    source = "def method(problem):\n    return F(problem)\n"
    assert repair(source, ["import os as F", "from torch import sigmoid as F", PARENT]).startswith(
        "from torch import sigmoid as F\n"
    )
    assert repair(source, ["not python (", "F = 3\n", PARENT]).startswith("import torch.nn.functional as F\n")


def test_a_program_part_and_prints_go() -> None:
    whole = BODY.replace("K = 3", "import torch\nimport torch.nn.functional as F\n\nK = 3")
    child = repair(whole + PROGRAM, [])
    assert ast.dump(ast.parse(child)) == ast.dump(ast.parse(whole))
    assert repair(child, []) == child


PIECES = (
    *(
        "import torch\n",
        "from __future__ import annotations\n",
        '"""Doc."""\n',
        "# a comment\n",
        "\n",
        "K = F.relu\n",
        "print(3)\n",
    ),
    *(
        "if __name__ == '__main__':\n    method(1)\n",
        "def method(problem):\n    return torch.ones(K) * pi\n",
        "x = lm; print(x)\n",
    ),
    *(
        "class A:\n    pi = pi\n",
        "print(f'{K}')\n",
        "for i in range(3):\n    print(i)\n",
        "def f(torch):\n    return torch\n",
        "(\n",
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=7), st.lists(st.sampled_from([PARENT, *SEEDS[:3], "("]), max_size=3))
def test_mending_twice_is_mending_once_and_keeps_what_is_defined(pieces: list[str], others: list[str]) -> None:
    source = "".join(pieces)
    once = repair(source, others)
    assert repair(once, others) == once
    if once != source:
        kept = [ast.dump(n) for n in ast.parse(source).body if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Assign)]
        assert [ast.dump(n) for n in ast.parse(once).body if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Assign)] == kept


def test_the_worker_mends_and_survives_what_kills_a_parser() -> None:
    deep = "x = " + "(" * 5_000 + ")" * 5_000
    with WorkerProcess() as worker:

        def repaired(source: str, others: list[str]) -> str:
            return str(worker.call(REPAIR, SECONDS, source=source, others=others)["source"])

        assert repaired(BODY, [PARENT]) == repair(BODY, [PARENT])
        assert repaired(deep, [PARENT]) == deep
        assert repaired("x = '\ud800'\n", [PARENT]) == "x = '\ud800'\n"
        assert repaired(BODY, [deep, PARENT]) == repair(BODY, [PARENT])
