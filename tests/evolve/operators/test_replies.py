"""Reading replies: which block is the file, what the idea is, and that no hostile text takes long to read."""

import resource
import subprocess
import sys

import pytest

from evolve.operators.llm.replies import EDITS, Unmatched, apply, blocks, idea, prediction, whole_file
from evolve.operators.llm.thoughts import Unreadable

FILE = "def method(problem):\n    return problem.weak[:, 1]\n"
OTHER = "def method(problem):\n    return problem.weak[:, 0]\n"
TICKS = "`" * 3


@pytest.mark.parametrize(
    "reply",
    [
        f"{TICKS}python\n{OTHER}{TICKS}\nNo, better:\n{TICKS}python\n{FILE}{TICKS}\nUse it so:\n{TICKS}sh\nls x.py\n{TICKS}",
        f"{TICKS}python\n{FILE}{TICKS}\n{TICKS}python\ndef helper(problem):\n    return 1\n{TICKS}",
        f"~~~ python `x`\n{FILE}~~~",
        f"{TICKS}{TICKS}\n{FILE}{TICKS}{TICKS}\n",
        f"1. The file:\n\n   {TICKS}python\n   {FILE.replace(chr(10), chr(10) + '   ')}{TICKS}\n",
        f"<think>{TICKS}\n{OTHER}{TICKS}</think>{TICKS}\n{OTHER}{TICKS}\n{TICKS}\n{FILE}{TICKS}",
        f"<thinking>\n{TICKS}\n{OTHER}</thinking>\n{TICKS}\n{FILE}{TICKS}",
        f"{TICKS}python\r\n{FILE}{TICKS}".replace("\n", "\r\n"),
        f"{TICKS}python\n{FILE}{TICKS}".replace("\n", "\r"),
        f"{TICKS}python\n\ufeff{FILE}{TICKS}",
        f"{'word ' * 40_000}\n{TICKS}python\n{FILE}{TICKS}\n{'word ' * 4_000}",
    ],
)
def test_the_file_is_the_last_block_that_defines_method(reply: str) -> None:
    assert whole_file(reply).strip() == FILE.strip()


def test_a_fence_deep_inside_a_docstring_does_not_end_the_block() -> None:
    file = f'"""Doc.\n\n        {TICKS}\n        x\n        {TICKS}\n"""\n{FILE}'
    assert whole_file(f"{TICKS}python\n{file}{TICKS}\n") == file


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ("", "no fenced block"),
        (f"<pre><code>{FILE}</code></pre>", "no fenced block"),
        (f"{TICKS} not `opening\n{FILE}", "no fenced block"),
        (f"{TICKS}python\nclass A:\n    def method(problem):\n        pass\n{TICKS}", "no block of code"),
        (f"{TICKS}python\n{FILE}{TICKS}</think>", "no fenced block"),
        (f"<think>never closed\n{TICKS}\n{FILE}{TICKS}", "breaks off inside its thoughts"),
    ],
)
def test_a_reply_without_a_file_is_unreadable(reply: str, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        whole_file(reply)


@pytest.mark.parametrize(
    ("reply", "stated"),
    [
        ("IDEA: train longer", "train longer"),
        ("> **Idea:** *train longer*\n", "train longer"),
        ("Some words.\n### Hypothesis\n\nThe teacher errs\nin one cluster.\n\nMore.", "The teacher errs in one cluster."),
        (f"HYPOTHESIS: it errs\n{TICKS}\nx\n{TICKS}", "it errs"),
        (f"**Hypothesis**: it errs\nand predicts\nHYPOTHESIS: no\n{TICKS}\n", "it errs and predicts"),
        ("IDEA:\n\nHYPOTHESIS: second", "second"),
        ("An idea: none", ""),
        ("IDEA: \x1b[31mred\x07", "[31mred"),
        (f"IDEA: {'x' * 999}", "x" * 299 + "…"),
        ("", ""),
    ],
)
def test_the_idea_is_one_line(reply: str, stated: str) -> None:
    assert idea(reply) == stated


UNFINISHED = "the reply breaks off inside its last block of code"


@pytest.mark.parametrize(
    "reply",
    [
        f"IDEA: x\n{TICKS}python\n{FILE}",
        f"{TICKS}python\n{FILE}{TICKS}\nNo, better:\n{TICKS}python\ndef method(problem):\n    x = problem.we",
        f"~~~~\n{FILE}~~~\n",
        f'{TICKS}python\n"""Doc.\n\n{TICKS}\nx\n{TICKS}\n"""\n{FILE}',
    ],
)
def test_a_reply_whose_last_fence_is_not_closed_broke_off(reply: str) -> None:
    with pytest.raises(Unreadable, match=UNFINISHED):
        whole_file(reply)


def test_edits_in_a_fence_that_is_not_closed_broke_off() -> None:
    edit = "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n"
    assert len(blocks(f"{TICKS}\n{edit}{TICKS}\n")) == len(blocks(edit)) == 1
    with pytest.raises(Unreadable, match=UNFINISHED):
        blocks(f"{TICKS}\n{edit}")


@pytest.mark.parametrize("language", ["python", "py", ""])
@pytest.mark.parametrize(
    "inner",
    [
        f'"""Doc.\n\n{TICKS}\nmethod(problem)\n{TICKS}\n"""\n',
        f"'''A list:\n{TICKS}sh\nls\n{TICKS}\nend'''\n",
        f'def helper():\n    r"""Draws "a" and \'\'\'b.\n{TICKS}\n1 -> 2\n{TICKS}\n    """\n\n\n',
        f"X = '\"\"\"'  # '''\nY = '''\n{TICKS}\n'''\n",
    ],
)
def test_a_fence_in_the_first_column_of_a_docstring_does_not_end_the_block(inner: str, language: str) -> None:
    assert whole_file(f"IDEA: x\n\n{TICKS}{language}\n{inner}{FILE}{TICKS}\nThat is all.\n") == inner + FILE


def test_triple_quotes_in_a_block_of_words_hide_no_fence() -> None:
    words = f'{TICKS}\nIt begins with """\n{TICKS}\n\n'
    assert whole_file(f'{words}{TICKS}python\n"""Doc."""\n{FILE}{TICKS}\n') == f'"""Doc."""\n{FILE}'


BARE = f'"""Doc: x = 1."""\n\nimport torch\n\nK = 3\nTABLE = {{\n    "a": 1,\n}}\n\n\n{FILE}'


@pytest.mark.parametrize("before", ["", "IDEA: a = b\n\n", "Here is the file.\n\n", "**Idea**: from the start\nand on\n\n"])
@pytest.mark.parametrize("behind", ["", "\n\n", "\n\nThis should recover more of the gap: it trains longer.\n"])
def test_a_bare_file_without_a_fence_is_read(before: str, behind: str) -> None:
    assert whole_file(f"{before}{BARE}{behind}") == BARE


def test_a_bare_file_beside_a_block_that_is_none_is_read() -> None:
    assert whole_file(f"{BARE}\nRun it so:\n\n{TICKS}sh\nls\n{TICKS}\n") == BARE


@pytest.mark.parametrize(
    "behind",
    [
        "\nWhy it works:\n\n  - it is simple\n",
        "\n1. First:\n   more text\n",
        "\nThe steps\n\n    are few = 1\n",
        "\n* one\n\t* two\n\nK: all of it\n  (more)\n",
    ],
)
@pytest.mark.parametrize("last", ["", "\n\ndef helper(a):\n    return (\na\n)\n", 'TEXT = """\nSome words:\n  more\n"""\n'])
def test_prose_with_indented_lines_behind_a_bare_file_is_no_code_of_it(behind: str, last: str) -> None:
    assert whole_file(f"IDEA: a\n\n{BARE}{last}{behind}") == BARE + last


def test_code_behind_words_in_a_bare_file_is_kept() -> None:
    file = f"{FILE}\ntorch.set_num_threads(1)\nmethod.note = 1\n\n\ndef helper():\n    return 1\n"
    assert whole_file(file) == file
    assert whole_file(f"{FILE}\nAnd this:\n\n{OTHER}").endswith(OTHER)


FENCED_DOC = f'def method(problem):\n    """Do.\n\n{TICKS}\nexample\n{TICKS}\n    """\n    return problem.weak\n'


@pytest.mark.parametrize("file", [FENCED_DOC, FENCED_DOC.replace("example", OTHER), f"import torch\n\n{FENCED_DOC}"])
@pytest.mark.parametrize("before", ["", "IDEA: a\n\n", "It's here:\n\n"])
@pytest.mark.parametrize("behind", ["", "\nThat is all.\n", f"\n{TICKS}sh\nls\n{TICKS}\n"])
def test_a_bare_file_keeps_the_fences_of_its_docstring(file: str, before: str, behind: str) -> None:
    assert whole_file(before + file + behind) == file
    block = f"{TICKS}python\n{FILE}{TICKS}\n"
    assert whole_file(f"{before}{file}\nBetter:\n\n{block}") == whole_file(f'{before}It begins with """.\n\n{block}') == FILE


@pytest.mark.parametrize(
    "info",
    [
        "python method.py", "python:method.py", 'python title="m"', "Python code", "python {.numberLines}", "{python}",
        "python 3", "python3.11", "Python 3.12", "{.python .numberLines}", "py3", "method.py", "src/method.py",
        " python", "python,linenos",
    ],
)  # fmt: skip
def test_a_block_is_python_whatever_else_its_first_line_says(info: str) -> None:
    assert whole_file(f"IDEA: x\n{TICKS}{info}\n{FENCED_DOC}{TICKS}\n") == FENCED_DOC


UNSEEN = ["\ufeff", "\u200b", "\u00a0", "\u2060", "\u202f", "\u3164"]


@pytest.mark.parametrize("odd", UNSEEN)
def test_what_nobody_sees_beside_a_fence_or_a_marker_loses_no_reply(odd: str) -> None:
    opens, ends = f"{TICKS}python", TICKS
    for first, last in ((odd + opens, ends), (opens + odd, ends), (opens, odd + ends), (opens, ends + odd)):
        assert whole_file(f"{first}\n{FILE}{last}\n") == whole_file(f"IDEA: x\n{first}\n{FILE}{last}") == FILE
    lines = ["<<<<<<< SEARCH", "    a = 1", "=======", "    a = 2", ">>>>>>> REPLACE"]
    for at in (0, 2, 4):
        for line in (odd + lines[at], lines[at] + odd):
            (found,) = blocks("\n".join([*lines[:at], line, *lines[at + 1 :]]))
            assert (found.search, found.replace) == (("    a = 1",), ("    a = 2",))
    assert idea(f"{odd}IDEA: train longer") == "train longer"
    assert whole_file(f"{odd}{FILE}") == FILE


def test_what_nobody_sees_in_code_stays() -> None:
    file = FILE + 'TEXT = "\u200b\u00a0"\n'
    assert whole_file(f"\ufeff{TICKS}python\n{file}{TICKS}") == file


def test_an_edit_is_quoted_a_few_times_only_and_edits_have_a_limit() -> None:
    edit = "<<<<<<< SEARCH\n{}\n=======\ny\n>>>>>>> REPLACE\n"
    found = blocks("".join(edit.format(f"line {n}") for n in range(EDITS)))
    with pytest.raises(Unmatched) as caught:
        apply(FILE, found)
    assert caught.value.details.count("does not occur in the parent") == EDITS
    assert caught.value.details.count("line ") < 20
    with pytest.raises(Unreadable, match="at most 64"):
        blocks("".join(edit.format(n) for n in range(EDITS + 1)))


HOSTILE = r"""
import random
from evolve.operators.llm.replies import Unmatched, apply, blocks, idea, prediction, whole_file
from evolve.operators.llm.thoughts import Unreadable
from evolve.operators.llm.vary import suggested
from evolve.text import fence, printable_line as one_line

M = 150_000
texts = [c * M for c in ("`", "~", " ", "\t", "*", "_", "#", ">", "<", "=", "\n", "a", "\r", "\u2028")]
texts += [text + tail for text in texts for tail in ("`", "x")]
texts += ["idea" + " " * M + "x", ("idea" + "*" * 99 + "\n") * 3_000, "IDEA:" + "* " * M]
texts += ["NAME" + "\t" * M, "DIRECTION:" + " *" * M]
texts += ["def" + " " * M, ("def" + "\n" * 9) * 30_000, "def method" + " " * M, "```\ndef" + "\t" * M + "\n```"]
texts += ["```\n" * 70_000, "~~~`\n" * 60_000, "</think>" * 30_000, "<<<<<<< SEARCH\n" + "x\n" * M]
marks = ("<think>", "[think", "<|channel|>final", "</s>", "<|a|>", "\\", '"', "'''")
texts += [(mark + " ") * (M // 8) for mark in marks]
texts += ["def method(\n" + part * (M // 8) for part in ("x[", "x: a|", "if :", "f'")]
texts += ["".join(random.Random(n).choices("`~ \n*:#>abIDEA<=", k=M)) for n in range(2)]
parent = "\n" * 20_000 + "x\n" * 6_000
for text in texts:
    for read in (whole_file, idea, suggested, fence, one_line, blocks):
        try:
            read(text)
        except Unreadable:
            pass
long = "\n" * 15_000
for search in ("\n" * 9_999 + "y", long + "x\n" * 5_999 + "z", "x\n" * 3_000, "a" * 200 + "\n" + long):
    reply = f"<<<<<<< SEARCH\n{search}\n=======\nq\n>>>>>>> REPLACE\n" * 60
    try:
        apply(parent, blocks(reply))
    except Unmatched as error:
        assert len(error.details) < 100_000
print("read")
"""


def test_hostile_text_is_read_in_linear_time() -> None:
    """What is quadratic in 150,000 characters takes minutes: the kernel ends the process after 60 s of processor time."""
    done = subprocess.run(
        [sys.executable, "-c", HOSTILE],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)),
    )
    assert done.stdout == "read\n", done.stderr


@pytest.mark.parametrize(
    ("reply", "stated", "predicted"),
    [
        (
            f"HYPOTHESIS: it errs\nPREDICTS: domain 2 PGR up by 0.20\n\n{TICKS}\n{FILE}{TICKS}",
            "it errs",
            "domain 2 PGR up by 0.20",
        ),
        (
            f"**HYPOTHESIS:** it errs\n**PREDICTS:** mends more,\nabout 0.10\n{TICKS}\n{FILE}{TICKS}",
            "it errs",
            "mends more, about 0.10",
        ),
        (f"IDEA: try\n- Prediction: none\n{TICKS}\n{FILE}{TICKS}", "try", "none"),
        (f"PREDICTS: up\nHYPOTHESIS: it errs\n{TICKS}\n{FILE}{TICKS}", "it errs", "up"),
        (f"HYPOTHESIS: it errs and predicts: nothing\n{TICKS}\n{FILE}{TICKS}", "it errs and predicts: nothing", ""),
        (f"<think>PREDICTS: a thought</think>IDEA: try\n{TICKS}\n{FILE}{TICKS}", "try", ""),
        (f"IDEA: try\nPREDICTS: \x1b[31m{'word ' * 4_000}\n{TICKS}\n{FILE}{TICKS}", "try", None),
    ],
)
def test_a_prediction_is_read_beside_the_idea_and_is_no_part_of_it(reply: str, stated: str, predicted: str | None) -> None:
    assert idea(reply) == stated
    found = prediction(reply)
    assert found == predicted if predicted is not None else len(found) <= 300
    assert found == "" or found.isprintable()
    assert whole_file(reply).strip() == FILE.strip()


def test_a_prediction_above_a_file_without_a_fence_is_no_part_of_the_file() -> None:
    assert whole_file(f"HYPOTHESIS: it errs\nPREDICTS: PGR up, x = 3\n\n{FILE}").strip() == FILE.strip()
