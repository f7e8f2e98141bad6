"""The operators that let a model write: against a real server, and against a scripted model for each bad reply."""

import random
from dataclasses import replace

import pytest

from archives.nouns import Usage
from evolve import models, operators
from evolve.errors import ModelError
from evolve.nouns import Reply, Tools, UnusableAnswer
from tests.support.model_server import Fault, ModelServer
from tests.support.scripted import BRIEF, CHILD, FAILED, GOOD, MATE, PARENT, RNG, SYNTAX, Script, propose


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
        CHILD,
    ],
)
def test_rewrite_reads_the_file_in_the_forms_models_use(reply):
    assert propose("rewrite", Script(reply)).source == CHILD


def test_rewrite_keeps_a_fence_inside_the_file():
    child = CHILD.replace('half."""', 'half.\n\n```\na fence\n```\n"""')
    assert propose("rewrite", Script(f"````python\n{child}````")).source == child


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


@pytest.mark.parametrize("name", ["rewrite", "explain", "cross", "fix"])
def test_whoever_predicts_something_of_the_card_has_it_kept(name):
    draft = propose(name, Script(f"IDEA: longer\nPREDICTS: domain 1 PGR up by 0.10\n\n```python\n{CHILD}```\n"))
    assert (draft.idea, draft.prediction) == ("longer", "domain 1 PGR up by 0.10")
    assert propose(name, Script(f"IDEA: longer\n\n```python\n{CHILD}```\n")).prediction == ""
