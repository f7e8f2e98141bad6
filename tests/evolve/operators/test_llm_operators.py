"""The operators that let a model write: against a real server, and against a scripted model for each bad reply."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from archives.nouns import Usage
from evolve import models, operators
from evolve.errors import ModelError
from evolve.models.usage import UnusableAnswer
from evolve.nouns import Brief, Broken, Direction, Exhibit, Reply, Tools
from evolve.operators.replies import Block, Unmatched, apply
from evolve.syntax import Syntax
from fitness.nouns import Method
from tests.model_server import Fault, ModelServer

PARENT = '''"""Trains on the confident half."""

import torch

SHARE = 0.5


def select(weak):
    confidence = (weak[:, 1] - 0.5).abs()
    return confidence >= confidence.quantile(SHARE)


def method(problem):
    keep = select(problem.weak)
    predictor = problem.student.fit(
        problem.train_x[keep], problem.weak[keep], epochs=20, lr=0.003, batch=128, weight_decay=0.01, hidden=64
    )
    probabilities = predictor(problem.test_x)[:, 1]
    return probabilities.clamp(0.01, 0.99)
'''
CHILD = PARENT.replace("epochs=20", "epochs=30")
MATE = PARENT.replace("Trains on", "Trusts").replace("(weak[:, 1] - 0.5).abs()", "weak.max(1).values").replace("0.5\n", "0.4\n")
FAILED = PARENT.replace("import torch\n\n", "").replace("problem.weak)", "problem.labels)")
BRIEF = Brief(
    Direction("trust", "Whom to trust?", ()),
    (Exhibit(Method("a" * 64, PARENT, 60), "confident", ()), Exhibit(Method("b" * 64, MATE, 60), "sure", ())),
    broken=Broken(FAILED, "line 11: AttributeError: a problem has no labels"),
)
RNG = random.Random(0)
SYNTAX = Syntax()


@pytest.fixture(autouse=True, scope="module")
def _worker() -> Iterator[None]:
    with SYNTAX:
        yield


class Script:
    """A model that answers with these texts, or raises these errors, in turn."""

    name = "scripted"

    def __init__(self, *turns: str | Exception) -> None:
        self.turns, self.asked = list(turns), []

    def ask(self, system: str, prompt: str) -> Reply:
        self.asked.append((system, prompt))
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return Reply(turn, Usage("scripted", 1, 100, 10, 0.25, 1.0))


def propose(name: str, model):
    operator = operators.load(name)
    broken = BRIEF.broken if operator.subject == "failure" else None
    brief = replace(BRIEF, parents=BRIEF.parents[: operator.parents], broken=broken)
    return operator.propose(brief, Tools(SYNTAX, model, "the rules"), RNG)


def edit(search: str, replace: str) -> str:
    return f"IDEA: **train longer**\n\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


LINE = "        problem.train_x[keep], problem.weak[keep], epochs=20, lr=0.003, batch=128, weight_decay=0.01, hidden=64"
GOOD = {
    "rewrite": f"Idea: train longer\n\n```python\n{CHILD}```\n",
    "cross": f"**IDEA**: train longer\n\n```python\n{CHILD}```\n",
    "fix": f"- Idea: train longer\n\n```python\n{CHILD}```\n",
    "explain": f"## Hypothesis\n\ntrain\nlonger\n\nSo it is.\n\n```python\n{CHILD}```\n",
    "diff": edit(LINE, LINE.replace("epochs=20", "epochs=30")),
}
BAD_EDIT = edit("    keep = choose(problem.weak)", "    keep = problem.weak[:, 1] > 0.9")


@pytest.mark.parametrize("name", GOOD)
def test_server_gives_different_children(name):
    with ModelServer() as server:
        model = models.load("openai:tiny", server.url, rng=random.Random(0))
        drafts = [propose(name, model) for _ in range(20)]
    assert all(draft.problem == "" for draft in drafts)
    children = [draft.source for draft in drafts]
    assert PARENT not in children
    assert len(set(children)) >= 18, "an integer has few neighbours: two edits may meet, by chance and seldom"
    for child in children:
        compile(child, "method", "exec")
    assert [draft.reply for draft in drafts] == [served.reply for served in server.served]
    assert [draft.usage.tokens_out for draft in drafts] == [served.tokens_out for served in server.served]
    assert all(draft.idea.startswith(("other constants", "temper the predictions", "take ")) for draft in drafts)


@pytest.mark.parametrize("name", GOOD)
def test_server_answers_the_same_prompts_the_same_way(name):
    runs = []
    for _ in range(2):
        with ModelServer(seed=5) as server:
            model = models.load("openai:tiny", server.url, rng=random.Random(0))
            runs.append([propose(name, model).source for _ in range(3)])
    assert runs[0] == runs[1]


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("kind", ["no_code", "wrong_function", "unchanged", "empty", "truncated", "refusal", "no_choices"])
def test_every_useless_answer_of_a_server_is_a_problem_with_its_cost(name, kind):
    with ModelServer([Fault(kind)] * 2) as server:
        draft = propose(name, models.load("openai:tiny", server.url))
    assert draft.source is None
    assert draft.problem
    assert draft.usage.calls == len(server.served)
    assert draft.usage.tokens_in == sum(served.tokens_in for served in server.served)
    assert draft.usage.tokens_out == sum(served.tokens_out for served in server.served)


def test_diff_server_that_misquotes_is_repaired_in_one_turn():
    with ModelServer([Fault("unmatched")]) as server:
        draft = propose("diff", models.load("openai:tiny", server.url))
    assert draft.source not in (None, PARENT)
    assert draft.usage.calls == 2
    assert draft.usage.tokens_in == sum(served.tokens_in for served in server.served)


@pytest.mark.parametrize("name", GOOD)
def test_draft_has_the_child_and_what_led_to_it(name):
    model = Script(GOOD[name])
    draft = propose(name, model)
    assert draft.source == CHILD
    assert draft.idea == "train longer"
    assert (model.asked[0][0], draft.reply) == ("the rules", GOOD[name])
    assert draft.prompt == model.asked[0][1]
    assert PARENT.strip() in draft.prompt
    assert draft.usage == Usage("scripted", 1, 100, 10, 0.25, 1.0)


@pytest.mark.parametrize("name", GOOD)
def test_unreachable_model_is_no_draft(name):
    with pytest.raises(ModelError, match="the cable is cut"):
        propose(name, Script(ModelError("the cable is cut")))


@pytest.mark.parametrize("name", GOOD)
def test_answer_that_was_paid_for_but_cut_short_is_a_draft_with_its_cost(name):
    partial = Reply("IDEA: train lon", Usage("scripted", 1, 100, 10, 0.25, 1.0))
    draft = propose(name, Script(UnusableAnswer("the answer was cut short", partial)))
    assert (draft.source, draft.problem) == (None, "the answer was cut short")
    assert (draft.reply, draft.usage.tokens_out) == (partial.text, 10)


@pytest.mark.parametrize("name", GOOD)
def test_operator_without_a_model_is_a_programming_error(name):
    with pytest.raises(ValueError, match="needs a model"):
        propose(name, None)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("I would rather not.", "the reply has no fenced block of code"),
        ("```python\ndef helper(problem):\n    pass\n```", "no block of code in the reply defines `def method(problem)`"),
        (f"```python\n{PARENT}```", "the reply repeats a parent without a change"),
    ],
)
def test_rewrite_without_a_usable_file_is_a_problem(reply, problem):
    draft = propose("rewrite", Script(reply))
    assert (draft.source, draft.problem) == (None, problem)
    assert (draft.reply, draft.usage.calls) == (reply, 1)


@pytest.mark.parametrize(
    "reply",
    [
        f"First a sketch:\n```python\ndef method(problem):\n    ...\n```\nand now all of it:\n```python\n{CHILD}```\nDone.",
        f"````python\n{CHILD}````",
        f"~~~\n{CHILD}~~~",
        f"```python\r\n{CHILD}```".replace("\n", "\r\n"),
        f"<think>```python\ndef method(x): pass\n```</think>\n```py\n{CHILD}```",
        f"```python\n{CHILD}",
    ],
)
def test_rewrite_reads_the_file_in_the_forms_models_use(reply):
    assert propose("rewrite", Script(reply)).source == CHILD


def test_rewrite_keeps_a_fence_inside_the_file():
    child = CHILD.replace('half."""', 'half.\n\n```\na fence\n```\n"""')
    assert propose("rewrite", Script(f"````python\n{child}````")).source == child


@pytest.mark.parametrize(
    ("first", "shown"),
    [
        (BAD_EDIT, ["Edit 1: its SEARCH part does not occur", "choose(problem.weak)", "from line 14:", "select(problem.weak)"]),
        (edit("", "x = 1"), ["Edit 1: its SEARCH part is empty."]),
        (edit("\n", "x = 1"), ["Edit 1: its SEARCH part is empty."]),
        ("I would train longer.", ["the reply has no SEARCH/REPLACE block."]),
        ("<<<<<<< SEARCH\nimport torch\n=======\nimport numpy\n", ["edit 1 of the reply is not finished"]),
        (GOOD["diff"] + edit(LINE, LINE), ["Edits 1 and 2 overlap."]),
    ],
)
def test_diff_shows_the_model_what_did_not_apply_and_takes_the_repair(first, shown):
    model = Script(first, GOOD["diff"])
    draft = propose("diff", model)
    assert (draft.source, draft.problem) == (CHILD, "")
    (_, one), (_, two) = model.asked
    assert two.startswith(one)
    for text in shown:
        assert text in two[len(one) :]
    assert draft.usage == Usage("scripted", 2, 200, 20, 0.5, 2.0)
    assert first in draft.reply
    assert GOOD["diff"] in draft.reply
    assert "===== turn 2 =====" in draft.prompt


def test_diff_of_lines_that_occur_twice_is_ambiguous():
    twice = "a = 1\nb = 2\na = 1\n"
    with pytest.raises(Unmatched) as caught:
        apply(twice, [Block(("a = 1",), ("a = 3",))])
    assert "occurs 2 times in the parent, from lines 1, 3" in caught.value.details
    assert apply(twice, [Block(("b = 2", "a = 1"), ("a = 3",))]) == "a = 1\na = 3\n"


def test_diff_matches_whole_lines_only():
    with pytest.raises(Unmatched):
        apply("aa = 1\n", [Block(("a = 1",), ("a = 3",))])


def test_diff_makes_all_edits_or_none():
    good, bad = Block(("b = 2",), ()), Block(("z = 1",), ())
    assert apply("a = 1\nb = 2\nc = 3\n", [Block(("c = 3",), ("d = 4", "e = 5")), good]) == "a = 1\nd = 4\ne = 5\n"
    with pytest.raises(Unmatched, match="1 of the 2 edits cannot be applied"):
        apply("a = 1\nb = 2\n", [good, bad])


def test_diff_that_fails_twice_is_a_problem_with_the_cost_of_both_turns():
    draft = propose("diff", Script(BAD_EDIT, BAD_EDIT))
    assert draft.source is None
    assert draft.problem == "after one repair turn, 1 of the 1 edits cannot be applied to the parent"
    assert (draft.usage.calls, draft.usage.usd) == (2, 0.5)


def test_diff_whose_repair_cannot_be_reached_keeps_the_turn_that_was_paid():
    draft = propose("diff", Script(BAD_EDIT, ModelError("the cable is cut")))
    assert (draft.source, draft.problem) == (None, "the cable is cut")
    assert (draft.usage.calls, draft.reply) == (1, BAD_EDIT)


def test_diff_that_changes_nothing_is_a_problem():
    model = Script(edit(LINE, LINE), edit(LINE, LINE))
    draft = propose("diff", model)
    assert (draft.source, draft.problem) == (None, "after one repair turn, 1 of the 1 edits cannot be applied to the parent")
    assert "Edit 1: its REPLACE part is the same as its SEARCH part" in model.asked[1][1]


def test_diff_whose_edits_undo_each_other_is_a_problem():
    swapped = edit("\n\ndef select(weak):", "\ndef select(weak):")
    draft = propose("diff", Script(swapped))
    assert (draft.source, draft.problem) == (None, "the reply repeats a parent without a change")


@pytest.mark.parametrize("name", ["rewrite", "cross", "explain", "fix"])
def test_a_file_that_was_shown_is_no_child(name):
    for shown in {"cross": (PARENT, MATE), "fix": (PARENT, FAILED)}.get(name, (PARENT,)):
        spaced = shown.replace("\n\n", "\n\n\n").replace("import torch\n", "import torch  \n")
        draft = propose(name, Script(f"```python\n{spaced}```"))
        assert draft.source is None
        assert "repeats" in draft.problem
        assert draft.usage.calls == 1


def test_fix_shows_the_failed_file_and_the_error_and_asks_once():
    model = Script("no code")
    draft = propose("fix", model)
    (_, prompt), *more = model.asked
    assert not more
    assert draft.problem == "the reply has no fenced block of code"
    assert "problem.labels" in prompt
    assert "line 11: AttributeError" in prompt


@pytest.mark.parametrize(
    ("name", "without", "problem"),
    [
        ("fix", {"broken": None}, "there is no failed child to mend"),
        ("cross", {"parents": BRIEF.parents[:1]}, "there is no second parent to cross with"),
    ],
)
def test_nothing_is_asked_when_the_brief_lacks_what_is_needed(name, without, problem):
    model = Script()
    draft = operators.load(name).propose(replace(BRIEF, **without), Tools(SYNTAX, model, ""), RNG)
    assert (draft.source, draft.problem, draft.usage) == (None, problem, Usage())
    assert model.asked == []


def test_only_fix_shows_the_failed_child():
    for name in ("rewrite", "diff", "cross", "explain"):
        model = Script(ModelError("cut"))
        with pytest.raises(ModelError):
            propose(name, model)
        assert "The child that failed" not in model.asked[0][1]


def test_a_forgotten_import_of_a_parent_comes_back():
    child = CHILD.replace("import torch\n\n", "").replace("clamp(0.01, 0.99)", "clamp(0.01, 0.99) * torch.pi / torch.pi")
    draft = propose("rewrite", Script(f"IDEA: x\n\n```python\n{child}\nif __name__ == '__main__':\n    print(method(1))\n```"))
    assert draft.problem == ""
    assert "import torch\n" in draft.source
    assert "__main__" not in draft.source
    assert "__main__" in draft.reply
