"""The operator `vary`: what of a model's reply becomes a direction, and what is refused with a sentence."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives.nouns import Usage
from evolve import operators
from evolve.nouns import Brief, Draft, Exhibit, Relative, Reply, Tools
from evolve.operators.llm.replies import Unreadable
from evolve.operators.llm.vary import suggested
from evolve.screening.worker import WorkerProcess
from fitness.nouns import Direction, Method
from fitness.tasks.directions import DIRECTIONS

OLD = Direction("noise", "The teacher is a noisy channel.", ("rounds", "shape"))
SOURCE = '"""Trains once."""\n' + "".join(f"x_{i} = {i}.123\n" for i in range(40)) + "def method(problem):\n    return 1\n"
SHOWN = Exhibit(Method("a" * 16, SOURCE, 9), "vanilla", line="PGR about 0.25, the best of its time")
BRIEF = Brief(OLD, (SHOWN,), deleted=("gone = 1",), family=(Relative((0.987654,), 0.4321),))


class Says:
    """A model that gives one answer."""

    name = "openai:tiny"

    def __init__(self, text: str) -> None:
        self.text, self.prompts = text, []

    def ask(self, system: str, prompt: str) -> Reply:
        self.prompts.append(prompt)
        return Reply(self.text, Usage("tiny", 1, 10, 5, None, 0.1))

    def worst_case(self, system: str, prompt: str) -> Usage:
        return Usage()


def vary(text: str) -> Draft:
    return operators.load("vary").propose(BRIEF, Tools(WorkerProcess(), Says(text)), random.Random(0))


def test_a_direction_has_its_origin_and_keeps_the_focus() -> None:
    draft = vary("**NAME:** Doubts of a Teacher!\n**DIRECTION:** *Where does the teacher hesitate?*\nPerhaps it knows.\n\nBye.")
    text = "Where does the teacher hesitate?\nPerhaps it knows."
    assert draft.direction == Direction("doubts of a teacher", text, OLD.focus, "openai:tiny", "noise")
    assert (draft.source, draft.problem) == (None, "")
    assert draft.idea == text.replace("\n", " ")
    assert draft.usage.calls == 1


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("", "no line that begins with DIRECTION"),
        ("NAME: x\nDIRECTION:\n", "no line that begins with DIRECTION"),
        ("NAME: x\nDIRECTION: a\nb\nc", "longer than two lines"),
        (f"NAME: x\nDIRECTION: {'ab ' * 150}", "longer than two lines or 300 characters"),
        ("NAME: x\nDIRECTION: use loss(logits, targets)", "has code in it"),
        ("NAME: x\nDIRECTION: set `epochs` higher", "has code in it"),
        ("NAME: x\nDIRECTION: epochs = 20", "has code in it"),
        ("NAME: x\nDIRECTION: look\n```python", "has code in it"),
        ("NAME: x\nDIRECTION: <b>look</b>", "has code in it"),
        ("NAME: x\nDIRECTION: 123 456", "has no words in it"),
        (f"NAME: x\nDIRECTION: {OLD.text}", "repeats the direction"),
    ],
)
def test_what_is_no_direction_is_a_problem_with_its_cost(reply: str, problem: str) -> None:
    draft = vary(reply)
    assert draft.direction is None
    assert problem in draft.problem
    assert draft.usage.calls == 1


def test_a_direction_without_a_name_is_named_by_its_first_words() -> None:
    assert suggested("DIRECTION: Where might the teacher hesitate?")[0] == "where might the teacher"


def test_a_variation_that_keeps_the_name_gets_another_one() -> None:
    direction = vary("NAME: Noise\nDIRECTION: Noise may have a shape.").direction
    assert direction is not None
    assert direction.name.startswith("noise-")
    assert direction.name != OLD.name


def test_the_directions_of_the_literature_would_pass() -> None:
    for direction in DIRECTIONS:
        assert suggested(f"NAME: {direction.name}\nDIRECTION: {direction.text}") == (direction.name, direction.text)


WORDS = st.text(st.characters() | st.sampled_from("abc NAME:DIRECTION*`\n\r\u2028"), max_size=400)


@given(WORDS, WORDS)
def test_whatever_passes_is_short_and_printable(name: str, text: str) -> None:
    try:
        slug, direction = suggested(f"NAME: {name}\nDIRECTION: {text}")
    except Unreadable:
        return
    assert 0 < len(slug) <= 40
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789 -")
    assert 0 < len(direction) <= 300
    assert 1 <= len(direction.split("\n")) <= 2
    assert all(line.isprintable() for line in direction.split("\n"))


def test_the_prompt_shows_the_direction_and_how_its_methods_begin() -> None:
    model = Says("no")
    operators.load("vary").propose(BRIEF, Tools(WorkerProcess(), model), random.Random(0))
    (prompt,) = model.prompts
    assert "> The teacher is a noisy channel." in prompt
    assert "PGR about 0.25" in prompt
    assert "x_9 = 9.123" in prompt
    for absent in ("x_20", "gone", "0.98", "0.43"):
        assert absent not in prompt
