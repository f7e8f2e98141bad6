"""Thoughts in a reply: what a model said to itself is never read as its answer, and code that names a marker stays code."""

import pytest

from evolve.operators.llm.replies import EditBlock, blocks, idea, whole_file
from evolve.operators.llm.thoughts import Unreadable, spoken
from evolve.operators.llm.vary import suggested

TICKS = "`" * 3
FILE = "def method(problem):\n    return problem.weak[:, 1]\n"
DRAFT = "def method(problem):\n    return problem.weak[:, 0]\n"


def edit(search: str, replace: str) -> str:
    return f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


REAL, WRONG = edit("a = 1", "a = 2"), edit("a = 1", "a = 9")
MARKERS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<reflection>", "</reflection>"),
    ("<THINK>", "</THINK>"),
    ('<think duration="3">', "</think >"),
    ("<seed:think>", "</seed:think>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<inner_monologue>", "</inner_monologue>"),
    ("[THINK]", "[/THINK]"),
    ("[REASONING]", "[/REASONING]"),
    ("◁think▷", "◁/think▷"),
    ("<|thinking|>", "<|/thinking|>"),
    ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>\n<|begin_of_solution|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("<|channel|>commentary<|message|>", "<|end|><|start|>assistant<|channel|>final <|constrain|>text<|message|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("analysisWe edit. ", "assistantfinal"),
    ("Thinking...\n", "\n...done thinking.\n"),
    ("Here is my thought process:\n", "\nHere is my response:\n"),
    ('<details type="reasoning" done="true">\n<summary>Thought for 3 s</summary>\n', "</details>"),
]
NAMED = [  # tags of more words, and other brackets
    ("<antThinking>", "</antThinking>"),
    ("<thought_process>", "</thought_process>"),
    ("<thinking_process>", "</thinking_process>"),
    ("<reasoning_content>", "</reasoning_content>"),
    ("<self_reflection>", "</self_reflection>"),
    ("<deep_think>", "</deep_think>"),
    ("<extended_thinking>", "</extended_thinking>"),
    ("<longcat_think>", "</longcat_think>"),
    ("<my-own-thoughts>", "</my-own-thoughts>"),
    ("<think_start>", "<think_end>"),
    ("<start_think>", "<end_think>"),
    ("<|think_start|>", "<|think_end|>"),
    ("<|reasoning_start|>", "<|reasoning_end|>"),
    ("<|startofthink|>", "<|endofthink|>"),
    ("<plan>", "</plan>"),
    ("<draft>", "</draft>"),
    ("<first_draft>", "</first_draft>"),
    ("【think】", "【/think】"),
    ("&lt;think&gt;", "&lt;/think&gt;"),
    ("&lt;thought_process&gt;", "&lt;/thought_process&gt;"),
]
ENDS = [end for start, end in [*MARKERS[:17], *NAMED]]
MARKERS += [
    *NAMED,
    ("<|im_start|>think\n", "<|im_end|>"),
    ("<|im_start|>thinking\n", "<|im_end|>\n<|im_start|>assistant\n"),
    ("<details><summary>Thinking</summary>", "</details>"),
    ("<details>\n<summary>Show my thought process</summary>", "</details>"),
]


@pytest.mark.parametrize(("start", "end"), MARKERS)
@pytest.mark.parametrize("gap", ["", "\n"])
def test_draft_edits_inside_of_thoughts_are_never_applied(start: str, end: str, gap: str) -> None:
    drafts = f"Perhaps\n{WRONG}or\n{TICKS}python\n{DRAFT}"
    found = blocks(f"{start}{gap}{drafts}{gap}{end}{gap}IDEA: x\n\n{REAL}")
    assert found == [EditBlock(("a = 1",), ("a = 2",))]
    assert whole_file(f"{start}{gap}{drafts}{gap}{end}{gap}{TICKS}python\n{FILE}{TICKS}") == FILE
    assert idea(f"{start}{gap}IDEA: draft{gap}{end}\nIDEA: real") == "real"
    assert suggested(f"{start}{gap}DIRECTION: a draft{gap}{end}\nDIRECTION: the real one")[1] == "the real one"


@pytest.mark.parametrize("start", [start for start, _ in MARKERS if "details" not in start])
def test_a_thought_that_is_never_closed_is_no_answer(start: str) -> None:
    for reply in (f"{start}\n{WRONG}", f"{start}{TICKS}\n{DRAFT}{TICKS}"):
        with pytest.raises(Unreadable, match="breaks off inside its thoughts"):
            blocks(reply)
        with pytest.raises(Unreadable, match="breaks off inside its thoughts"):
            whole_file(reply)
        assert idea(f"{start}IDEA: draft") == ""


@pytest.mark.parametrize("end", ENDS)
def test_what_comes_before_the_end_of_a_thought_that_nothing_opened_is_a_thought(end: str) -> None:
    assert blocks(f"I try\n{WRONG}{end}\n{REAL}") == [EditBlock(("a = 1",), ("a = 2",))]
    assert whole_file(f"{TICKS}\n{DRAFT}{TICKS}\nHm.\n{end}{TICKS}python\n{FILE}{TICKS}") == FILE


@pytest.mark.parametrize(
    "draft", [f"{TICKS}python\n{DRAFT}", "<<<<<<< SEARCH\na = 1\n", f"{TICKS}\n{DRAFT}{TICKS}\n{TICKS}py\nx\n"]
)
def test_a_draft_that_is_never_closed_does_not_hide_the_end_of_its_thought(draft: str) -> None:
    assert whole_file(f"{draft}\n</think>\n\n{TICKS}python\n{FILE}{TICKS}") == FILE
    assert blocks(f"{draft}\n</think>\n\n{REAL}") == [EditBlock(("a = 1",), ("a = 2",))]


def test_thoughts_between_edits_are_left_out_and_the_edits_around_them_stay() -> None:
    other = edit("b = 1", "b = 2")
    found = blocks(f"<think>{WRONG}</think>{REAL}<think>a <reflection>b</reflection> {WRONG}</think>{other}")
    assert [block.replace for block in found] == [("a = 2",), ("b = 2",)]
    assert [b.replace for b in blocks(f"<think><think>{WRONG}</think>{REAL}")] == [("a = 2",)]
    assert [b.replace for b in blocks(f"<think>a</thinking>{WRONG}</think>{REAL}")] == [("a = 2",)]


@pytest.mark.parametrize("word", [mark for pair in MARKERS for mark in pair])
@pytest.mark.parametrize("quote", ['    x = "{}"\n', '    """\n    {}\n    """\n', "    # {}\n", '    """\n{}\n    """\n'])
def test_a_method_that_names_a_marker_survives(word: str, quote: str) -> None:
    code = f"def method(problem):\n{quote.format(word)}    return problem.weak[:, 1]\n"
    assert whole_file(f"IDEA: x\n{TICKS}python\n{code}{TICKS}\n") == code
    assert whole_file(f"<think>{DRAFT}</think>\n{TICKS}python\n{code}{TICKS}\n") == code
    (found,) = blocks(edit("a = 1", code.rstrip("\n")))
    assert "\n".join(found.replace) == code.rstrip("\n")


def test_a_marker_named_in_an_edit_or_in_words_loses_no_other_edit() -> None:
    first = edit("a = 1", 'a = """\n</think>\n"""')
    assert len(blocks(f"I split at `</think>` and `<think>`.\n{first}{REAL}")) == 2
    assert spoken("x[thought] = weights[reasoning]\n[analysis](url)") == "x[thought] = weights[reasoning]\n[analysis](url)"


def test_marks_of_the_end_of_a_reply_close_no_fence_and_hide_none() -> None:
    for end in ("<|return|>", "<|im_end|>\n", "</s>", "<｜end▁of▁sentence｜>", " <|end|><|return|>"):
        assert whole_file(f"{TICKS}python\n{FILE}{TICKS}{end}") == FILE
    assert whole_file(f"<answer>{TICKS}python\n{FILE}{TICKS}\n</answer>") == FILE


@pytest.mark.parametrize("end", ["<end_of_turn>", "[EOS]", "<eos>", "<turn|>", "<|eot_id|>", "<end_of_turn>\n<eos>", ""])
def test_what_a_server_shows_of_the_end_of_a_reply_is_no_part_of_it(end: str) -> None:
    for behind in ("", "\nThat is all.\n" if "\n" not in end else ""):
        assert whole_file(f"{TICKS}python\n{FILE}{TICKS}{end}{behind}") == FILE
    assert whole_file(FILE + end) == FILE
    assert len(blocks(f"{REAL}{end}")) == 1
    assert whole_file("def method(problem):\n    return problem.weak[EOS]\n").endswith("weak[EOS]\n")


@pytest.mark.parametrize(
    "turn",
    [
        "<|im_end|>\n<|im_start|>user\n", "<|im_end|><|im_start|>user\n",
        "<end_of_turn>\n<start_of_turn>user\n", "\n<|user|>\n",
        "<|eot_id|><|start_header_id|>user<|end_header_id|>\n", "</s>\n[INST] ", "<|end|>\n<|start|>user<|message|>",
        "<turn|>\n<|turn>user\n", "<｜end▁of▁sentence｜>\n<｜User｜>",
    ],
)  # fmt: skip
def test_a_turn_that_a_model_made_up_for_who_asks_is_no_part_of_its_reply(turn: str) -> None:
    invented = f"Better:\n{TICKS}python\n{DRAFT}\n{FILE.replace('1', '0')}{TICKS}\n"
    assert whole_file(f"{TICKS}python\n{FILE}{TICKS}{turn}{invented}") == FILE
    assert whole_file(f"{TICKS}python\n{FILE}{TICKS}\n{turn}{invented}") == FILE
    assert len(blocks(f"{REAL}{turn}{WRONG}")) == 1
