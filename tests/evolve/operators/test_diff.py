"""The operator `diff`: what applies, what is shown in the repair turn, and what is a problem in the end."""

import pytest

from archives.nouns import Usage
from evolve import models
from evolve.errors import ModelError
from evolve.operators.llm.replies import EditBlock, Unmatched, apply
from tests.support.model_server import Fault, ModelServer
from tests.support.scripted import BAD_EDIT, CHILD, GOOD, LINE, PARENT, Script, edit, propose


def test_diff_server_that_misquotes_is_repaired_in_one_turn():
    with ModelServer([Fault("unmatched")]) as server:
        draft = propose("diff", models.load("openai:tiny", server.url))
    assert draft.source not in (None, PARENT)
    assert draft.usage.calls == 2
    assert draft.usage.tokens_in == sum(served.tokens_in for served in server.served)


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
        apply(twice, [EditBlock(("a = 1",), ("a = 3",))])
    assert "occurs 2 times in the parent, from lines 1, 3" in caught.value.details
    assert apply(twice, [EditBlock(("b = 2", "a = 1"), ("a = 3",))]) == "a = 1\na = 3\n"


def test_diff_matches_whole_lines_only():
    with pytest.raises(Unmatched):
        apply("aa = 1\n", [EditBlock(("a = 1",), ("a = 3",))])


def test_diff_makes_all_edits_or_none():
    good, bad = EditBlock(("b = 2",), ()), EditBlock(("z = 1",), ())
    assert apply("a = 1\nb = 2\nc = 3\n", [EditBlock(("c = 3",), ("d = 4", "e = 5")), good]) == "a = 1\nd = 4\ne = 5\n"
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
