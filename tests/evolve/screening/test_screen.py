from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from evolve.screening.screen import MAX_BYTES, Screen
from evolve.screening.worker import WorkerProcess

GOOD = '''"""A docstring."""
import torch

RATE = 0.01


def helper(x, scale=2.0):
    # a comment
    return x * scale


def method(problem):
    """Another."""
    rows = problem.test_x
    return torch.sigmoid(helper(rows[:, 0]) * RATE)
'''


@pytest.fixture(scope="module")
def syntax() -> Iterator[WorkerProcess]:
    with WorkerProcess() as worker:
        yield worker


@pytest.fixture
def screen(syntax: WorkerProcess) -> Screen:
    return Screen(syntax)


def test_a_good_method_passes_with_its_facts(screen: Screen) -> None:
    method = screen.check(GOOD, "mine", "added").method
    assert method is not None
    assert (method.name, method.origin, method.source) == ("mine", "added", GOOD)
    assert set(method.constants) >= {0.01, 2.0}
    assert len(method.id) == 16
    assert method.nodes > 20


@pytest.mark.parametrize(
    "same",
    [
        GOOD.replace("# a comment", "# something else entirely"),
        GOOD.replace('"""Another."""', '"""Said otherwise."""'),
        GOOD.replace("rows", "examples"),
        GOOD.replace("helper", "assistant"),
        GOOD.replace("RATE", "SPEED"),
        GOOD.replace("0.01", "1e-2"),
        GOOD.replace("    return x * scale", "    return (\n        x * scale\n    )"),
        GOOD.replace("import torch\n", "import torch as t\n").replace("torch.sigmoid", "t.sigmoid"),
    ],
)
def test_the_canonical_form_sees_through_wording(screen: Screen, same: str) -> None:
    first = screen.check(GOOD).method
    assert first is not None
    screen.remember(first)
    again = screen.check(same)
    assert again.duplicate == first.id
    assert "same method" in again.reason


@pytest.mark.parametrize(
    "other",
    [
        GOOD.replace("x * scale", "x + scale"),
        GOOD.replace("0.01", "0.02"),
        GOOD.replace("torch.sigmoid", "torch.tanh"),
        GOOD.replace("rows[:, 0]", "rows[:, 1]"),
    ],
)
def test_the_canonical_form_sees_differences(screen: Screen, other: str) -> None:
    first = screen.check(GOOD).method
    assert first is not None
    screen.remember(first)
    assert screen.check(other).method is not None


def test_constants_within_5_percent_are_a_near_duplicate(screen: Screen) -> None:
    first = screen.check(GOOD).method
    assert first is not None
    screen.remember(first)
    near = screen.check(GOOD.replace("0.01", "0.0103"))
    assert near.duplicate == first.id
    assert "less than 5 %" in near.reason


REFUSED = [
    ("import os\n" + GOOD, "line 1: the import of os is not allowed"),
    (GOOD + "\nfrom subprocess import run\n", "the import of subprocess is not allowed"),
    ("from sklearn.datasets import load_digits\n" + GOOD, "line 1: the import of sklearn.datasets is not allowed"),
    ("from sklearn import datasets\n" + GOOD, "line 1: the import of sklearn.datasets is not allowed"),
    ("def method(problem):\n    import socket\n", "line 2: the import of socket is not allowed"),
    ("from . import secrets\n" + GOOD, "relative imports"),
    (GOOD.replace("def method", "def methods"), "no function named method"),
    (GOOD.replace("def method(problem)", "def method(problem, labels)"), "takes 2 required arguments, expected exactly one"),
    (GOOD.replace("def method(problem)", "def method()"), "takes 0 required arguments"),
    (GOOD.replace("def method", "async def method"), "async"),
    (GOOD.replace("return torch", "yield torch"), "generator"),
    (GOOD.replace("rows = ", "rows = = "), "line 14: it does not compile"),
    ("", "no function named method"),
    ("x = 1\n\x00", "line 2: it contains a null byte"),
    ("#" * (MAX_BYTES + 1), f"the limit is {MAX_BYTES:,}"),
    ("# coding: rot13\n" + GOOD, "line 1: it declares the encoding rot13"),
    ("# a comment\r# -*- coding: utf-7 -*-\n" + GOOD, "line 2: it declares the encoding utf-7"),
    ("x = 1" + "0" * 320 + "\n" + GOOD, "int too large"),
    ("x = '\ud800'", "line 1: it is not UTF-8 text"),
]


@pytest.mark.parametrize(("source", "reason"), REFUSED)
def test_a_refusal_is_a_sentence_with_its_line(screen: Screen, source: str, reason: str) -> None:
    assert reason in screen.check(source).reason


def test_a_byte_order_mark_makes_no_method_invalid_and_is_not_stored(screen: Screen) -> None:
    for source in ("\ufeff" + GOOD, b"\xef\xbb\xbf" + GOOD.encode()):
        method = screen.check(source).method
        assert method is not None
        assert method.source == GOOD
        assert method.id == screen.parse(GOOD).method.id  # type: ignore[union-attr]


UNSEEN = (
    "\u200b\u200d\u2060\ufeff\u00ad\u202e\u2066\u061c\U000e0041\U000e0101\ufe0f\u034f"
    "\u115f\u1160\u3164\uffa0\u2800\u180e\ufff9\U0001d173\x85\u2028"
)


@pytest.mark.parametrize("character", UNSEEN)
def test_what_nobody_sees_in_a_method_is_stored_as_an_escape_and_means_the_same(screen: Screen, character: str) -> None:
    hidden = f'{GOOD}\nMARK = "a{character}b"  # a{character}b\n'
    if character in "\u2028\x85":  # str.splitlines would end a line here; Python does not
        assert len(hidden.split("\n")) == len(GOOD.split("\n")) + 2
    method = screen.check(hidden).method
    assert method is not None
    assert character not in method.source
    found: dict[str, object] = {}
    exec(method.source.splitlines()[-1], found)
    assert found["MARK"] == f"a{character}b"


@pytest.mark.parametrize("character", "\u3164\ufe0f\u200b\U000e0101")
def test_what_nobody_sees_in_a_name_is_refused_with_its_line(screen: Screen, character: str) -> None:
    found = screen.check(f"{GOOD}\nx{character} = 3\n")
    assert found.method is None
    assert (
        f"(line {GOOD.count(chr(10)) + 2} holds the character U+{ord(character):04X}, which nobody sees: remove it)"
        in found.reason
    )


def test_accents_other_scripts_and_wide_blanks_are_left_as_they_are(screen: Screen) -> None:
    source = GOOD + "# \u00e9 e\u0301 \u4e2d\u3000\u6587 \u00a0 \U0001f600 \u03b1\u03b2\n"
    assert screen.check(source).method.source == source  # type: ignore[union-attr]


def test_an_encoding_that_changes_nothing_may_be_declared(screen: Screen) -> None:
    assert screen.check("# -*- coding: UTF_8 -*-\n" + GOOD).method is not None


def test_bytes_that_are_no_text_are_refused(screen: Screen) -> None:
    assert screen.check(b"x = 1\ny = '\xff'\n").reason == "line 2: it is not UTF-8 text"


CRASHERS = {
    "deep brackets": "x = " + "(" * 1500 + "1" + ")" * 1500,
    "deep lists": "x = " + "[" * 90 + "]" * 90,
    "long or chain": "x = " + " or ".join(["a"] * 7000),
    "unary chain": "x = " + "-" * 5000 + "1",
    "long call": "x = f(" + ", ".join(["a"] * 5000) + ")",
    "attribute chain": "x = a" + ".b" * 10000,
    "lambda chain": "x = " + "lambda: " * 5000 + "1",
    "surrogates": "x = '\ud800'",
    "nested patterns": "match a:\n  case " + "[" * 60 + "]" * 60 + ": pass",
    "else chain": "x = " + "1 if a else " * 2000 + "1",
    "huge literal": "x = " + "9" * 20000,
}


@pytest.mark.parametrize("name", CRASHERS)
def test_the_screen_survives_what_crashes_parsers(screen: Screen, name: str) -> None:
    answer = screen.check(CRASHERS[name])
    assert answer.reason or answer.method
    assert screen.check(GOOD).method is not None, "the next source is screened as if nothing had happened"


def test_a_killed_worker_is_replaced(screen: Screen, syntax: WorkerProcess) -> None:
    assert screen.check(GOOD).method
    assert syntax.pid
    os.kill(syntax.pid, signal.SIGKILL)
    assert syntax._process
    syntax._process.wait(5)
    assert screen.check(GOOD).method
