"""Prompts: what is in them, in which order, and what can never get out of its fence."""

import platform
import re
from dataclasses import replace
from importlib.metadata import version as installed

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve import operators, text
from evolve.nouns import Brief, Broken, CoarseScore, Exhibit, Failure, Relative
from evolve.prompting import prompts as briefs
from evolve.runs import forecast
from evolve.screening import screen
from fitness import tasks
from fitness.contracts import wording
from fitness.contracts.probabilities import PROBABILITIES
from fitness.nouns import Direction, Method

SOURCE = "def method(problem):\n    return problem.weak[:, 1]\n"
TEXT = wording.text(PROBABILITIES)
TALKING = [name for name in operators.TABLE if operators.load(name).needs_model]
DIRECTION = Direction("trust", "Think about whom to trust.\n# And when", ())


def exhibit(source: str = SOURCE, name: str = "vanilla", coarse: float | None = 0.2, raised: bool = True) -> Exhibit:
    scores = () if coarse is None else (CoarseScore("chat", 10, 0.66, coarse, raised),)
    return Exhibit(Method("a" * 64, source, 5), name, scores)


def fenced(text: str) -> list[str]:
    """Read fenced blocks as CommonMark does: a fence is closed by a line of at least as many backticks and nothing else."""
    blocks, opened = [], ""
    for line in text.split("\n"):
        ticks = re.match(r" {0,3}(`{3,})", line)
        if not opened and ticks:
            opened = ticks[1]
            blocks.append([])
        elif opened and re.fullmatch(rf" {{0,3}}`{{{len(opened)},}}\s*", line):
            opened = ""
        elif opened:
            blocks[-1].append(line)
    assert not opened
    return ["\n".join(block) for block in blocks]


def test_system_text_has_task_contract_and_imports():
    text = briefs.system("Elicit what the model knows.", TEXT, {"torch", "numpy"}, {"torch.hub", "numpy.memmap"})
    assert "Elicit what the model knows." in text
    assert "def method(problem):" in text
    assert "Imports: only numpy, torch." in text
    assert "These do not work, and a file that uses them is refused: numpy.memmap, torch.hub." in text
    assert "$" not in text


def test_system_text_names_the_versions_that_the_sandbox_has():
    text = briefs.system("t", TEXT, ["torch"], [], {"Python": "3.12.1", "torch": "2.9.0"})
    assert "\n- Versions: Python 3.12.1, torch 2.9.0.\n" in text
    assert "Versions" not in briefs.system("t", TEXT, ["torch"], [])
    found = forecast.system_text(tasks.load("embedded"))
    assert f"Python {platform.python_version()}, torch {installed('torch')}, numpy {installed('numpy')}" in found
    assert f"scipy {installed('scipy')}, sklearn {installed('scikit-learn')}.\n" in found


def test_what_nobody_sees_reaches_no_prompt_unseen():
    hidden = "\u200b\u202e\U000e0041\u115f\u1160\u3164\uffa0\u2800\ufeff\u00ad\ufe0f\u2060\u180e\U000e0101"
    parents = (exhibit(f"{SOURCE}# {hidden}\n", f"van{hidden}illa"),)
    brief = Brief(
        replace(DIRECTION, text=f"trust{hidden}"), parents, (exhibit(f"# {hidden}"),),
        failures=(Failure(f"a{hidden}", f"b{hidden}"),), deleted=(f"x{hidden}",), broken=Broken(f"# {hidden}", f"c{hidden}"),
    )  # fmt: skip
    for asked in (briefs.prompt(brief, "ask"), briefs.variation(brief)):
        assert not set(hidden) & set(asked)
        assert "\\u3164\\uffa0\\u2800" in asked


def test_system_text_is_the_same_whatever_the_order_of_imports():
    assert briefs.system("t", TEXT, ["torch", "math", "numpy"], ["b", "a"]) == briefs.system(
        "t", TEXT, ("numpy", "torch", "math"), ("a", "b")
    )


def test_system_text_names_everything_a_problem_has():
    text = briefs.system("t", TEXT, ["torch"], [])
    for name in ("train_x", "weak", "test_x", "pairs", "seed", "device", "n_classes", "student"):
        assert f"problem.{name}" in text


def test_system_text_names_the_size_limit_of_the_screen():
    assert f"at most {screen.MAX_BYTES // 1024} KB" in briefs.system("t", TEXT, ["torch"], [])


def test_request_has_its_parts_in_order():
    brief = Brief(
        DIRECTION,
        (exhibit(name="best", coarse=0.44), exhibit(name="second", coarse=None)),
        (exhibit(name="other", coarse=-0.1, raised=False),),
        (Failure("more epochs", "line 3: NaN"),),
        ("    weak = weak.sqrt()", "  "),
        Broken("def method(problem):\n    return problem.labels", "line 2: no attribute labels"),
        (Relative((0.987654,), 0.4321), Relative((31337.0,), 0.5678)),
    )
    text = briefs.prompt(brief, "Do it now.")
    assert not re.search(r"0\.98|0\.43|31337|0\.56|Tuned", text), "the family is never shown"
    parts = [
        "> Think about whom",
        "> # And when",
        "Parent 1: best, PGR about 0.44, the best of its time",
        "Parent 2: second, not scored",
    ]
    parts += [
        "An ancestor of the first parent had these lines",
        "weak = weak.sqrt()",
        "- more epochs: line 3: NaN",
        "Method 1: other, no better than the best before it, PGR about -0.10",
        "# The child that failed",
        "return problem.labels",
        "line 2: no attribute labels",
        "# Your turn",
        "Do it now.",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_request_without_inspirations_and_failures_says_so():
    text = briefs.prompt(Brief(DIRECTION, (exhibit(),)), "ask")
    assert "None yet." in text
    assert "Nothing yet." in text
    assert "An ancestor" not in text
    assert "The child that failed" not in text
    assert "\n\n\n" not in text


def test_score_in_a_request_is_no_finer_than_two_decimals():
    text = briefs.prompt(Brief(DIRECTION, (exhibit(coarse=0.123456789),)), "ask")
    assert re.findall(r"\d\.\d+", text) == ["0.12"]


@given(st.text(alphabet=st.sampled_from("`~ \n#ab$>{}"), max_size=200))
def test_source_never_leaves_its_fence(source):
    text = briefs.prompt(Brief(DIRECTION, (exhibit(source),)), "ask")
    assert fenced(text)[0].rstrip() == source.rstrip()
    assert len(fenced(text)) == 1


@given(st.text(max_size=400), st.text(max_size=400))
def test_reason_of_a_failure_never_leaves_its_fence_nor_its_line(summary, reason):
    text = briefs.prompt(Brief(DIRECTION, (exhibit(),), (), (Failure(summary, reason), Failure("b", "c"))), "ask")
    lines = fenced(text)[1].split("\n")
    assert len(lines) == 2
    assert all(line.startswith("- ") and line.isprintable() for line in lines)


def test_search_domains_are_numbered_and_not_named():
    both = (CoarseScore("chat", 10, 0.7, 0.3, True), CoarseScore("code_deceptive", 10, 0.6, 0.1, False))
    text = briefs.prompt(Brief(DIRECTION, (Exhibit(Method("a", SOURCE, 5), "x", both),)), "ask")
    assert "PGR about 0.30 in domain 1, the best of its time; no better in domain 2 than the best before it" in text
    assert "deceptive" not in text


def test_every_ask_is_complete():
    brief = Brief(DIRECTION, (exhibit(),))
    for name in TALKING:
        text = briefs.variation(brief) if name == "vary" else briefs.request(brief, name)
        assert "# Your turn" in text
        assert "$" not in text
        assert ("IDEA:" in text) + ("HYPOTHESIS:" in text) + ("DIRECTION:" in text) == 1


@given(st.lists(st.text(max_size=300), max_size=30), st.text(max_size=2_000), st.text(max_size=900))
def test_deleted_lines_and_a_failed_child_never_leave_their_fences(lines, source, reason):
    brief = Brief(DIRECTION, (exhibit(),), deleted=tuple(lines), broken=Broken(source, reason))
    blocks = fenced(briefs.prompt(brief, "ask"))
    shown = [line for line in lines[:20] if text.printable_line(line)]
    assert len(blocks) == 3 + bool(shown)
    if shown:
        assert len(blocks[1].split("\n")) == len(shown)
        assert all(line.isprintable() and len(line) <= 160 for line in blocks[1].split("\n"))
    assert blocks[-2].rstrip() == text.visible(source).rstrip()
    assert blocks[-1].isprintable()
    assert len(blocks[-1]) <= 600


def long(name: str, size: int = 32_000) -> Exhibit:
    return exhibit(f"# {name}\n" + "x = 1  # y\n" * (size // 11), name)


def test_parents_are_shown_whole_and_inspirations_while_there_is_room():
    brief = Brief(DIRECTION, (long("one"), long("two")), (exhibit(name="small"), long("big"), exhibit(name="last")))
    text = briefs.prompt(brief, "ask")
    assert long("one").method.source.strip() in text
    assert long("two").method.source.strip() in text
    assert "Method 1: small" in text
    assert "# big" not in text
    assert "2 more are left out here: they are too long." in text


def test_a_request_has_a_most_whatever_it_is_made_of():
    huge = long("huge", 400_000)
    brief = Brief(
        Direction("long", "so " * 40_000, ()),
        (huge, huge),
        (huge,) * 50,
        (Failure("f" * 9_000, "r" * 9_000),) * 500,
        ("line " * 900,) * 500,
        Broken("b" * 400_000, "r" * 9_000),
    )
    text = briefs.prompt(brief, "ask")
    assert len(text) < 130_000
    assert "The file goes on for 367" in text
    assert len(briefs.variation(brief)) < 10_000


@pytest.mark.parametrize("name", TALKING)
def test_what_is_reserved_for_a_request_is_enough(name):
    for size in (10, 5_000, 60_000):
        shown, broken = long("x", size), Broken("y" * size, "reason")
        brief = Brief(DIRECTION, (shown, shown), (shown, shown), (), ("z = 1",), broken)
        text = briefs.variation(brief) if name == "vary" else briefs.request(brief, name)
        assert len(text) <= len(briefs.longest(brief))


def test_the_system_text_is_the_same_every_time():
    assert briefs.system("t", TEXT, {"torch", "numpy", "math"}, []) == briefs.system("t", TEXT, {"math", "numpy", "torch"}, [])
    assert not re.search(r"\d{4}-\d\d|\d\d:\d\d", briefs.system("t", TEXT, ["torch"], [])), "no date and no clock"
