"""Prompts: what is in them, in which order, and what can never get out of its fence."""

import re

from hypothesis import given
from hypothesis import strategies as st

from evolve import brief as briefs
from evolve import screen
from evolve.nouns import Brief, CoarseScore, Direction, Exhibit, Failure
from fitness.nouns import Method

SOURCE = "def method(problem):\n    return problem.weak[:, 1]\n"
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
    text = briefs.system("Elicit what the model knows.", {"torch", "numpy"})
    assert "Elicit what the model knows." in text
    assert "def method(problem):" in text
    assert "Imports: only numpy, torch." in text
    assert "$" not in text


def test_system_text_is_the_same_whatever_the_order_of_imports():
    assert briefs.system("t", ["torch", "math", "numpy"]) == briefs.system("t", ("numpy", "torch", "math"))


def test_system_text_names_everything_a_problem_has():
    text = briefs.system("t", ["torch"])
    for name in ("train_x", "weak", "test_x", "pairs", "seed", "device", "n_classes", "student"):
        assert f"problem.{name}" in text


def test_system_text_names_the_size_limit_of_the_screen():
    assert f"at most {screen.MAX_BYTES // 1024} KB" in briefs.system("t", ["torch"])


def test_request_has_its_parts_in_order():
    brief = Brief(
        DIRECTION,
        (exhibit(name="best", coarse=0.44), exhibit(name="second", coarse=None)),
        (exhibit(name="other", coarse=-0.1, raised=False),),
        (Failure("more epochs", "line 3: NaN"),),
    )
    text = briefs.prompt(brief, "Do it now.")
    parts = [
        "> Think about whom",
        "> # And when",
        "Parent 1: best, PGR about 0.44, the best of its time",
        "Parent 2: second, not scored",
    ]
    parts += [
        "Method 1: other, no better than the best before it, PGR about -0.10",
        "- more epochs: line 3: NaN",
        "Do it now.",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_request_without_inspirations_and_failures_says_so():
    text = briefs.prompt(Brief(DIRECTION, (exhibit(),)), "ask")
    assert "None yet." in text
    assert "Nothing yet." in text


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
    for name in ("rewrite", "diff"):
        assert "IDEA:" in briefs.request(brief, name)
