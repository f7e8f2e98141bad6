"""The operator `diff`: what applies, what is shown in the repair turn, and what is a problem in the end."""

import pytest

from archives.nouns import Usage
from evolve import models
from evolve.errors import ModelError
from evolve.operators.llm.replies import EditBlock, Unmatched, apply, blocks
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


CODE = "import torch\n\n\ndef f(weak):\n    kept = weak[:, 1]  # sure\n    if True:\n        kept = kept + 1\n    return kept\n"
WANTED = CODE.replace("kept + 1", "kept + 2")
BLOCK = ("    if True:", "        kept = kept + 1")
CHANGED = ("    if True:", "        kept = kept + 2")


def lines(*parts: str) -> tuple[str, ...]:
    return parts


@pytest.mark.parametrize(
    ("search", "replace"),
    [
        (lines("    if True:  ", "        kept = kept + 1\t"), CHANGED),
        (lines("", *BLOCK), CHANGED),
        (lines(*BLOCK, ""), lines(*CHANGED, "")),
        (lines("", "  ", *BLOCK, " "), lines("", *CHANGED)),
        (lines("\tif True:", "\t\tkept = kept + 1"), lines("\tif True:", "\t\tkept = kept + 2")),
        (lines("        if True:", "\tkept = kept + 1"), CHANGED),
        (lines("if True:", "    kept = kept + 1"), lines("if True:", "    kept = kept + 2")),
        (
            lines("          if True:", "              kept = kept + 1"),
            lines("          if True:", "              kept = kept + 2"),
        ),
        (
            lines("    if True:", "        kept\u00a0=\u00a0kept + 1"),
            lines("    if True:", "        kept\u00a0=\u00a0kept + 2"),
        ),
        (lines("\u00a0   if True:", "\u2003" * 8 + "kept = kept + 1"), CHANGED),
        (lines("    if\u200b True:", "        kept = \ufeffkept + 1"), lines("    if\u200b True:", "        kept = kept + 2")),
        (lines("    if True:\u2060", "        kept = kept\u00ad + 1"), CHANGED),
        (lines("    if True:", "        kept  =\tkept + 1"), CHANGED),
    ],
)
def test_diff_finds_what_differs_only_where_nobody_can_see_it(search, replace):
    if search[0].startswith("        if"):  # a mix of blanks and tabs whose indentation fits nothing is no such difference
        with pytest.raises(Unmatched):
            apply(CODE, [EditBlock(search, replace)])
        return
    assert apply(CODE, [EditBlock(search, replace)]) == WANTED


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_diff_of_other_line_ends_applies(end):
    assert apply(CODE.replace("\n", end), [EditBlock(BLOCK, CHANGED)]) == WANTED
    draft = propose("diff", Script(GOOD["diff"].replace("\n", end)))
    assert draft.source == CHILD


def test_diff_of_a_parent_with_odd_blanks_or_tabs_applies_and_keeps_its_tabs():
    odd = CODE.replace("kept = kept", "kept\u00a0=\u200b kept").replace("if True:", "if True: \t")
    assert apply(odd, [EditBlock(BLOCK, CHANGED)]) == WANTED
    tabs = CODE.replace("    ", "\t")
    assert apply(tabs, [EditBlock(BLOCK, CHANGED)]) == WANTED.replace("    ", "\t")


def test_diff_of_a_letter_written_in_two_ways_applies():
    assert apply("x = 'e\u0301'\n", [EditBlock(("x = '\u00e9'",), ("x = 1",))]) == "x = 1\n"


def test_diff_markers_may_be_indented_and_hold_odd_blanks():
    new, old = ("".join(f"  {line}\n" for line in part) for part in (CHANGED, BLOCK))
    block = f"  <<<<<<<\u00a0SEARCH \n{old}  =======\n{new}  >>>>>>> REPLACE\u00a0\n"
    assert apply(CODE, blocks(f"1. First:\n\n{block}")) == WANTED


def test_diff_prefers_what_is_the_same_and_never_guesses_between_two():
    twice = "if a:\n    x = 1\nx = 1\n"
    assert apply(twice, [EditBlock(("x = 1",), ("x = 2",))]) == "if a:\n    x = 1\nx = 2\n"
    with pytest.raises(Unmatched) as caught:
        apply(twice, [EditBlock(("  x = 1",), ("  x = 2",))])
    assert "occurs 2 times in the parent, from lines 2, 3" in caught.value.details


LONG_BLOCK = [f"    x{n} = {n}" for n in range(40)]


@pytest.mark.parametrize(
    ("parent", "search", "shown"),
    [
        ("    x = 'a'", ("    x = '\u0430'",), "    x = '\\u0430'"),  # a Cyrillic letter
        ('x = "\'"', ('x = "\u2019"',), 'x = "\\u2019"'),
        ("a\n\nb", ("a", "b"), "SEARCH: b\nparent: (an empty line)"),
        ("\n".join(LONG_BLOCK), (*LONG_BLOCK[:35], "    x35 = 36"), "    x35 = 36"),
        ("x = '" + "a" * 3_000 + "b'", ("x = '" + "a" * 3_000 + "c'",), "ac'"),
        ("if a:\n    b = 1\n    c = 1", ("if a:", "    b = 1", "      c = 1"), "      c = 1"),
        ("a = 1\nb = 2", ("a = 1", "b = 2", "", "c = 3"), "ends before line"),
    ],
)
def test_diff_repair_shows_what_differs_and_never_two_texts_that_look_the_same(parent, search, shown):
    with pytest.raises(Unmatched) as caught:
        apply(f"{parent}\n", [EditBlock(search, ("y",))])
    told = caught.value.details.split("does not occur")[1]
    assert shown in told
    if "They differ first" in told:
        one, other = told.rpartition("SEARCH: ")[2].removesuffix("\n```").split("\nparent: ")
        assert one != other
        assert (one + other).isascii()


IN_PARENT = "def method(problem):\n    x = 1\n    y = 2\n    return x\n"


@pytest.mark.parametrize(
    ("search", "replace", "changed"),
    [
        (lines("x = 1", "    y = 2"), lines("x = 2", "    y = 2"), "    x = 2\n    y = 2\n"),
        (lines("", "x = 1", "    y = 2"), lines("", "x = 2", "    y = 3"), "    x = 2\n    y = 3\n"),
        (lines("x = 1", "      y = 2"), lines("x = 2", "      y = 3"), "    x = 2\n    y = 3\n"),
        (lines("x = 1", "    y = 2"), lines("if a:", "        x = 2", "    y = 2"), "    if a:\n        x = 2\n    y = 2\n"),
    ],
)
def test_diff_finds_a_block_whose_first_line_lost_its_indent(search, replace, changed):
    assert apply(IN_PARENT, [EditBlock(search, replace)]) == IN_PARENT.replace("    x = 1\n    y = 2\n", changed)


@pytest.mark.parametrize(
    ("search", "replace", "changed"),
    [
        (lines("x = 1"), lines("    x = 2"), "    x = 2"),
        (lines("x = 1"), lines("x = 2", "    z = 3"), "    x = 2\n    z = 3"),
        (lines("x = 1"), lines("if a:", "    x = 2"), "    if a:\n        x = 2"),
        (lines("  x = 1"), lines("    x = 2", "    z = 3"), "    x = 2\n    z = 3"),
        (lines("\u00a0    x = 1"), lines("    x = 2"), "    x = 2"),
        (lines("\u00a0    x = 1"), lines("\u00a0    x = 2"), "    x = 2"),
        (lines("\x0c    x = 1"), lines("    x = 2"), "    x = 2"),
        (lines("\x0c    x = 1"), lines("\x0c    x = 2"), "    x = 2"),
        (lines("\u200b\u2003x = 1"), lines("    x = 2"), "    x = 2"),
        (lines("        x = 1"), lines("    x = 2"), "    x = 2"),
        (lines("\tx = 1"), lines("    x = 2"), "    x = 2"),
    ],
)
def test_diff_leaves_a_replacement_that_is_indented_as_the_parent_is(search, replace, changed):
    assert apply(IN_PARENT, [EditBlock(search, replace)]) == IN_PARENT.replace("    x = 1", changed)


def test_diff_leaves_two_lines_that_are_indented_as_the_parent_is():
    edit = EditBlock(("x = 1", "y = 2"), ("    x = 2", "    y = 3"))
    assert apply(IN_PARENT, [edit]) == IN_PARENT.replace("x = 1", "x = 2").replace("y = 2", "y = 3")


@pytest.mark.parametrize(
    "search", [("  x = 1", "    y = 2"), ("      x = 1", "    y = 2"), ("  x = 1", "    y = 2", "    return x")]
)
def test_diff_repair_names_the_first_line_when_only_its_indent_differs(search):
    with pytest.raises(Unmatched) as caught:
        apply(IN_PARENT, [EditBlock(search, ("y",))])
    assert f"SEARCH: {search[0]}\nparent:     x = 1\n" in caught.value.details
    assert "differ first in line 1 of the SEARCH part" in caught.value.details
