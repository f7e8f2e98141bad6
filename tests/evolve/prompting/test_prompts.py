"""Prompts: what is in them, in which order, and what can never get out of its fence."""

import platform
import re
import shutil
from dataclasses import replace
from importlib.metadata import version as installed

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve import operators, text
from evolve.nouns import Brief, Broken, Exhibit, Relative, Tried
from evolve.prompting import prompts as briefs
from evolve.prompting.system import Rules, system
from evolve.prompting.words import FOLDER, digest
from evolve.runs import forecast
from evolve.screening import screen
from fitness import tasks
from fitness.contracts import wording
from fitness.contracts.probabilities import PROBABILITIES
from fitness.nouns import Direction, Method
from tests.support.known import asked

SOURCE = "def method(problem):\n    return problem.weak[:, 1]\n"
TEXT = wording.text(PROBABILITIES)
TALKING = [name for name in operators.TABLE if operators.load(name).needs_model]
DIRECTION = Direction("trust", "Think about whom to trust.\n# And when", ())


def exhibit(source: str = SOURCE, name: str = "vanilla", line: str = "PGR 0.20", **more: object) -> Exhibit:
    return Exhibit(Method(name, source, 5), name, "", line, **more)  # type: ignore[arg-type]


def tried(number: int = 1, **more: object) -> Tried:
    told = {"idea": f"idea {number}", "operator": "diff", "changed": ("head",), "outcome": "PGR 0.10; not placed"} | more
    return Tried(**told)  # type: ignore[arg-type]


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
    text = system("Elicit what the model knows.", TEXT, Rules({"torch", "numpy"}, {"torch.hub", "numpy.memmap"}))
    assert "Elicit what the model knows." in text
    assert "def method(problem):" in text
    assert "Imports: only numpy, torch." in text
    assert "These do not work, and a file that uses them is refused: numpy.memmap, torch.hub." in text
    assert "$" not in text


def test_system_text_names_the_versions_that_the_sandbox_has():
    text = system("t", TEXT, Rules(["torch"], [], {"Python": "3.12.1", "torch": "2.9.0"}))
    assert "\n- Versions: Python 3.12.1, torch 2.9.0.\n" in text
    assert "Versions" not in system("t", TEXT, Rules(["torch"], []))
    found = forecast.system_text(tasks.load("embedded"), ("chat",))
    assert f"Python {platform.python_version()}, torch {installed('torch')}, numpy {installed('numpy')}" in found
    assert f"scipy {installed('scipy')}, sklearn {installed('scikit-learn')}.\n" in found


def test_what_nobody_sees_reaches_no_prompt_unseen():
    hidden = "\u200b\u202e\U000e0041\u115f\u1160\u3164\uffa0\u2800\ufeff\u00ad\ufe0f\u2060\u180e\U000e0101"
    parents = (exhibit(f"{SOURCE}# {hidden}\n", f"van{hidden}illa"),)
    brief = Brief(
        replace(DIRECTION, text=f"trust{hidden}"), parents, (exhibit(f"# {hidden}"),),
        tried=(tried(idea=f"a{hidden}", outcome=f"b{hidden}", prediction=f"c{hidden}"),),
        deleted=(f"x{hidden}",), broken=Broken(f"# {hidden}", f"c{hidden}"),
    )  # fmt: skip
    for written in (briefs.prompt(brief, "ask"), briefs.variation(brief)):
        assert not set(hidden) & set(written)
        assert "\\u3164\\uffa0\\u2800" in written


def test_system_text_is_the_same_whatever_the_order_of_imports():
    one, other = Rules(["torch", "math", "numpy"], ["b", "a"]), Rules(("numpy", "torch", "math"), ("a", "b"))
    assert system("t", TEXT, one) == system("t", TEXT, other)


def test_system_text_names_everything_a_problem_has():
    text = system("t", TEXT, Rules(["torch"], []))
    for name in ("train_x", "weak", "test_x", "pairs", "seed", "device", "n_classes", "student"):
        assert f"problem.{name}" in text


def test_system_text_names_the_size_limit_of_the_screen():
    assert f"at most {screen.MAX_BYTES // 1024} KB" in system("t", TEXT, Rules(["torch"], []))


def test_the_contract_stands_once_with_the_students_defaults_real_seconds_and_facts_of_each_domain():
    text = forecast.system_text(tasks.load("embedded"), ("chat", "code_deceptive"))
    assert text.count("def method(problem)") == text.count("problem.pairs ") == text.count("transfer_acc - weak_acc") == 1
    assert "epochs=8, lr=0.003, batch=128, weight_decay=0.0001, hidden=64, loss=None" in " ".join(text.split())
    assert "step counts batches from 0 over all epochs" in " ".join(text.split())
    assert "weights (n,) are divided by their sum in each batch" in " ".join(text.split())
    assert "A run is stopped after 30 seconds of wall clock, or when it takes more than 2 GiB of memory." in " ".join(
        text.split()
    )
    assert "- domain 1: 4,000 training rows, 1,500 to 2,500 test rows, 256 features, 2 classes, no pairs" in text
    assert "- domain 2: 4,000 training rows, 1,500 to 2,500 test rows, 256 features, 2 classes, 300 pairs" in text
    assert "deceptive" not in text, "a domain's name could tell what is hard about it"


def test_a_run_on_one_domain_is_told_of_that_one_and_of_no_number():
    text = forecast.system_text(tasks.load("embedded"), ("code_deceptive",))
    assert "An instance of its domain: 4,000 training rows" in text
    assert "domain 1" not in text


def test_the_digest_of_the_prompts_changes_with_any_of_their_words(monkeypatch, tmp_path):
    shutil.copytree(FOLDER, tmp_path / "prompting")
    before = digest.__wrapped__()
    monkeypatch.setattr("evolve.prompting.words.FOLDER", tmp_path / "prompting")
    assert digest.__wrapped__() == before
    with open(tmp_path / "prompting" / "templates" / "explain.md", "a", encoding="utf-8") as file:
        file.write("!")
    assert digest.__wrapped__() != before


def test_request_has_its_parts_in_order():
    brief = Brief(
        DIRECTION,
        (exhibit(name="best", line="PGR 0.44"), exhibit(name="second", line="")),
        (exhibit(name="other", line="PGR -0.10", whole=False),),
        exhibit("RECORD = 1\n", "record", "PGR 0.60"),
        (tried(idea="more epochs", outcome="failed when it ran: line 3: NaN"),),
        ("    weak = weak.sqrt()", "  "),
        Broken("def method(problem):\n    return problem.labels", "line 2: no attribute labels"),
        (Relative((0.987654,), 0.4321), Relative((31337.0,), 0.5678)),
    )
    text = briefs.prompt(brief, "Do it now.")
    assert not re.search(r"0\.98|0\.43|31337|0\.56", text), "the family is never shown"
    parts = ["> Think about whom", "> # And when", "## Parent 1: best\n\n- PGR 0.44", "## Parent 2: second\n\n- not scored"]
    parts += ["# The record", "record\n\n- PGR 0.60", "RECORD = 1", "# What was tried"]
    parts += ["- diff: more epochs | changed head | failed when it ran: line 3: NaN", "# Lines that hurt", "weak = weak.sqrt()"]
    parts += ["# Methods that work differently", "- other | def method(problem): | PGR -0.10"]
    parts += ["# The child that failed", "return problem.labels", "line 2: no attribute labels", "# Your turn", "Do it now."]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_a_request_leaves_out_the_parts_of_which_there_is_nothing():
    text = briefs.prompt(Brief(DIRECTION, (exhibit(),)), "ask")
    assert re.findall(r"^# .*", text, re.MULTILINE) == ["# Direction", "# Parents, best first", "# Your turn"]
    assert "\n\n\n" not in text


def test_the_record_among_the_parents_is_named_and_not_shown_twice():
    best = exhibit(name="best")
    text = briefs.prompt(Brief(DIRECTION, (exhibit(name="first", source="x = 1\n"), best), record=best), "ask")
    assert "## Parent 2: best, the best method so far\n" in text
    assert "# The record" not in text
    assert text.count(SOURCE.strip()) == 1


@given(st.text(alphabet=st.sampled_from("`~ \n#ab$>{}"), max_size=200))
def test_source_never_leaves_its_fence(source):
    text = briefs.prompt(Brief(DIRECTION, (exhibit(source),)), "ask")
    assert fenced(text)[0].rstrip() == source.rstrip()
    assert len(fenced(text)) == 1


def test_explain_asks_for_a_hypothesis_and_what_it_predicts_of_the_card():
    text = briefs.request(Brief(DIRECTION, (exhibit(),)), "explain")
    assert "\nHYPOTHESIS: " in text
    assert "\nPREDICTS: " in text


def test_every_ask_is_complete():
    brief = Brief(DIRECTION, (exhibit(),))
    for name in TALKING:
        text = asked(brief, name)
        assert "# Your turn" in text
        assert "$" not in text
        assert sum(label in text for label in ("IDEA:", "HYPOTHESIS:", "DIRECTION:", "VARIANT:")) == 1


@given(st.lists(st.text(max_size=300), max_size=30), st.text(max_size=2_000), st.text(max_size=900))
def test_deleted_lines_and_a_failed_child_never_leave_their_fences(lines, source, reason):
    brief = Brief(DIRECTION, (exhibit(),), deleted=tuple(lines), broken=Broken(source, reason))
    blocks = fenced(briefs.prompt(brief, "ask"))
    shown = [line for line in lines[:8] if text.printable_line(line)]
    assert len(blocks) == 3 + bool(shown)
    if shown:
        assert len(blocks[1].split("\n")) == len(shown)
        assert all(line.isprintable() and len(line) <= 160 for line in blocks[1].split("\n"))
    assert blocks[-2].rstrip() == text.visible(source).rstrip()
    assert blocks[-1].isprintable()
    assert len(blocks[-1]) <= 600


def long(name: str, size: int = 32_000) -> Exhibit:
    return exhibit(f"# {name}\n" + "x = 1  # y\n" * (size // 11), name)


def test_parents_are_shown_whole_and_all_else_while_there_is_room():
    rows = tuple(map(tried, range(20)))
    small = Brief(DIRECTION, (exhibit(),), (exhibit(name="other"),), exhibit("BEST = 1\n", "record"), rows, ("x = 1",))
    assert briefs.fitted(small) == small, "where there is room for all, all is shown"
    large = briefs.fitted(replace(small, parents=(long("one"), long("two"))))
    text = briefs.prompt(large, "ask")
    assert long("one").method.source.strip() in text
    assert long("two").method.source.strip() in text
    assert large.tried == rows[: briefs.FEWEST], "the nearest"
    assert "# The record" in text
    assert "BEST" not in text
    assert (large.inspirations, large.deleted) == ((), ())


def test_a_request_is_as_long_as_it_aims_at_unless_its_parents_are_longer():
    rows = tuple(tried(number, idea="It does this because of that. " * 8) for number in range(20))
    for size in (500, 1_500, 2_500):
        brief = Brief(DIRECTION, (long("one", size),), (long("two", size),) * 2, long("best", size), rows, ("x = 1",) * 8)
        for name in ("rewrite", "diff", "cross", "explain"):
            assert len(briefs.request(briefs.fitted(brief), name)) <= briefs.LENGTH + 300


def test_only_what_a_request_shows_is_entered_as_a_look():
    rows = tuple(tried(number, method=f"m{number}") for number in range(20))
    brief = briefs.fitted(Brief(DIRECTION, (long("one"),), (exhibit(name="other"),), exhibit(name="record"), rows))
    assert brief.methods == ("one", "record", "m0", "m1", "m2", "m3")


def test_a_request_has_a_most_whatever_it_is_made_of():
    huge = long("huge", 400_000)
    brief = Brief(
        Direction("long", "so " * 40_000, ()),
        (huge, huge),
        (huge,) * 50,
        huge,
        (tried(idea="f" * 9_000, outcome="r" * 9_000, prediction="p" * 9_000),) * 500,
        ("line " * 900,) * 500,
        Broken("b" * 400_000, "r" * 9_000),
    )
    text = briefs.prompt(briefs.fitted(brief), "ask")
    assert len(text) < 110_000
    assert "The file goes on for 367" in text
    assert len(briefs.variation(brief)) < 10_000


@pytest.mark.parametrize("name", TALKING)
def test_what_is_reserved_for_a_request_is_enough(name):
    for size in (10, 5_000, 60_000):
        shown, broken = long("x", size), Broken("y" * size, "reason")
        brief = Brief(DIRECTION, (shown, shown), (shown, shown), shown, (tried(),), ("z = 1",), broken)
        text = asked(brief, name)
        assert len(text) <= len(briefs.longest(brief))


def test_the_system_text_is_the_same_every_time():
    one, other = Rules({"torch", "numpy", "math"}, []), Rules({"math", "numpy", "torch"}, [])
    assert system("t", TEXT, one) == system("t", TEXT, other)
    assert not re.search(r"\d{4}-\d\d|\d\d:\d\d", system("t", TEXT, Rules(["torch"], []))), "no date and no clock"
