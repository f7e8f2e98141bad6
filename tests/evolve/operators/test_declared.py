"""Declared constants: which comments are read, which are left alone with a sentence, and what writing a value changes."""

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.operators.offline.declared import MOST, declares, exact, read, said, write

READ = {
    "A = 0.3  # tune: 0.05 to 0.9": ("A", 0.3, 0.05, 0.9, False),
    "A = 3e-4 # tune: 1e-5 to 1e-2, log": ("A", 3e-4, 1e-5, 1e-2, True),
    "A = 4  #Tune : 1 to 8 ,LOG": ("A", 4, 1.0, 8.0, True),
    "A = -0.5  # tune: -1 to 0": ("A", -0.5, -1.0, 0.0, False),
    "A: float = 2.0  # tune: 1 to 3": ("A", 2.0, 1.0, 3.0, False),
    "def f():\n    a = 7  # tune: 2 to 30": ("a", 7, 2.0, 30.0, False),
    "if True: a = 0  # tune: 0 to 5": ("a", 0, 0.0, 5.0, False),
}
LEFT = {
    "A = B = 3  # tune: 1 to 8": "only the assignment of one number",
    "A = 2 * 3  # tune: 1 to 8": "only the assignment of one number",
    "A = True  # tune: 0 to 1": "only the assignment of one number",
    "A = '3'  # tune: 1 to 8": "only the assignment of one number",
    "A = 1; B = 2  # tune: 1 to 8": "only the assignment of one number",
    "A, B = 1, 2  # tune: 1 to 8": "only the assignment of one number",
    "x.a = 3  # tune: 1 to 8": "only the assignment of one number",
    "f(\n    a=3,  # tune: 1 to 8\n)": "line 2: only the assignment of one number",
    "# tune: 1 to 8": "only the assignment of one number",
    "A = 3  # tune: 1 to": "the range is written as",
    "A = 3  # tune: later": "the range is written as",
    "A = 3  # tune: 1 to 8, often": "the range is written as",
    "A = 3.0  # tune: nan to 8": "a number between",
    "A = 3.0  # tune: 1 to inf": "a number between",
    f"A = 1{'0' * 400}  # tune: 1 to 8": "a number between",
    "A = 3.0  # tune: 1 to 1e12": "a number between",
    "A = 3  # tune: 8 to 1": "the lower end of its range comes first",
    "A = 3  # tune: 3 to 3": "the lower end of its range comes first",
    "A = 9  # tune: 1 to 8": "its value 9 is outside its range",
    "A = 3  # tune: 0.5 to 8": "a whole number has whole ends",
    "A = 0.0  # tune: 0 to 1, log": "a logarithmic range begins above 0",
    "A = 1.0  # tune: 1e-6 to 1e6, log": "spans 6 decades at most",
    "A = 0.3  # tune: 0 to 1e6": "more than 1,000 times as wide",
}


@pytest.mark.parametrize("text", READ)
def test_a_declaration_in_the_fixed_form_is_read(text: str) -> None:
    [one], refused = read(text)
    assert (one.name, one.value, one.low, one.high, one.log) == READ[text]
    assert type(one.value) is type(READ[text][1])
    assert (refused, declares(text)) == ([], True)


@pytest.mark.parametrize("text", LEFT)
def test_an_absurd_declaration_is_left_alone_with_a_sentence_that_names_its_line(text: str) -> None:
    found, [sentence] = read(text)
    assert found == []
    assert LEFT[text] in sentence
    assert sentence.startswith("line ")
    assert "\n" not in sentence


def test_what_only_looks_like_a_declaration_is_none() -> None:
    text = 'A = "# tune: 1 to 8"\nB = 3  # tuned by hand: 1 to 8\nC = 4  # do not tune: 1 to 8\n'
    assert read(text) == ([], [])
    assert not declares("B = 3  # tuned by hand: 1 to 8")


def test_of_thousands_of_constants_the_first_few_are_tuned_and_the_rest_is_told_in_a_line() -> None:
    found, refused = read("".join(f"A{n} = {n}.5  # tune: 0 to 5000\n" for n in range(5, 2005)))
    assert [one.line for one in found] == [1, 2, 3, 4, 5, 6]
    assert refused == [f"{2000 - MOST} declared constants more are left alone: {MOST} are at most"]
    absurd = read("A = 3  # tune: 8 to 1\n" * 2000)[1]
    assert len(said(absurd)) < 300
    assert said(absurd).endswith("1997 declarations more are not used either")


SOURCE = '''"""é"""
# tune nothing here
A = 0.3  # tune: 0.05 to 0.9
def f(x):
    é = -4; y = {1: 2}  # not declared
    rate = 1e-3 # tune: 1e-5 to 1e-1, log
    text = """
    B = 3  # tune: 1 to 8
    """
    return x * rate + 4
C = -7  # tune: -9 to 9'''


def bare(source: str, lines: set[int]) -> str:
    """Return the tree of a source without the numbers that are assigned on some lines."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and node.lineno in lines:
            node.value = ast.Constant(0)
    return ast.dump(tree)


@given(st.floats(0.05, 0.9), st.floats(1e-5, 1e-1), st.integers(-9, 9), st.sampled_from(["\n", "\r\n"]))
def test_writing_values_changes_the_declared_literals_and_nothing_else(a: float, rate: float, c: int, newline: str) -> None:
    source = SOURCE.replace("\n", newline)
    found, refused = read(source)
    values = [exact(one, value) for one, value in zip(found, (a, rate, c), strict=True)]
    text = write(source, found, values)
    assert refused == []
    assert [one.value for one in read(text)[0]] == values, "it can be read again: declarations are kept"
    assert bare(text, {3, 6, 11}) == bare(source, {3, 6, 11})
    assert re.findall("#.*", text) == re.findall("#.*", SOURCE), "comments are kept"
