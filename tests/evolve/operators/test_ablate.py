"""The operator that takes the record apart: one part each, from all over the file, and no child."""

from __future__ import annotations

import ast
import difflib
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from evolve import operators
from evolve.nouns import Brief, Draft, Exhibit, Experiment, Tools, Variant
from evolve.operators.offline.neutral import neutralised
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerDied
from fitness.nouns import Direction, Method
from fitness.tasks.embedded.grammar import GRAMMAR
from tests.support.scripted import PARENT, SYNTAX

SEEDS = {path.stem: path.read_text() for path in Path("seeds").glob("*.py") if path.stem != "__init__"}
OWN = '''"""Its own pipeline."""

import torch

TEMPERATURE = 0.5
STRENGTH = 0.3
LEARNING_RATE = 0.003
EPOCHS = 12


def smooth(p):
    return 0.9 * p + 0.05


def method(problem):
    p = smooth(problem.weak[:, 1])
    p = p / TEMPERATURE
    if problem.pairs is not None:
        p = p + STRENGTH
    problem.note("mean", float(p.mean()))
    return p.clamp(0.01, 0.99) * (EPOCHS + LEARNING_RATE)
'''


def parts(source: str, most: int = 12, seed: int = 0, grammar: bool = True) -> dict[str, str]:
    found = neutralised(source, most, seed, GRAMMAR.to_json() if grammar else None)["parts"]
    return {part["label"]: part["source"] for part in found}


class Tried:
    """Experiments that keep what they were asked to try."""

    instances = 2

    def __init__(self) -> None:
        self.variants: list[Variant] = []
        self.race = True

    def run(self, variants: Sequence[Variant], race: bool = True) -> tuple[Experiment, ...]:
        self.variants, self.race = list(variants), race
        return tuple(Experiment(variant, None) for variant in variants)


def propose(source: str, tools: Tools) -> Draft:
    brief = Brief(Direction("any", "Any.", ()), (Exhibit(Method("a" * 16, source, 9), "the record", ()),))
    return operators.load("ablate").propose(brief, tools, random.Random(0))


@pytest.mark.parametrize("name", ["auxconf", "selftrain", "knn", "coteaching"])
def test_a_variant_of_a_record_lacks_one_part_and_passes_the_screen(name: str) -> None:
    screen, record = Screen(SYNTAX), Screen(SYNTAX).parse(SEEDS[name]).method
    assert record is not None
    found = [screen.parse(source) for source in parts(SEEDS[name]).values()]
    assert 3 <= len(found) <= 12
    assert [one.reason for one in found if one.method is None] == []
    ids = {one.method.id for one in found if one.method}
    assert len(ids) == len(found), "no variant stands twice"
    assert record.id not in ids, "every variant differs from the record"


def test_a_constant_of_the_record_is_neutralised_alone_and_nothing_else_of_the_file_changes() -> None:
    for label, source in parts(OWN, most=40).items():
        if "->" in label:
            changed = [line for line in difflib.ndiff(OWN.splitlines(), source.splitlines()) if line[0] in "+-"]
            assert len(changed) == 2, label


def test_labels_of_ablations_say_what_is_done_and_on_which_line() -> None:
    found = parts(OWN, most=40)
    assert "`STRENGTH`: 0.3 -> 0.0, line 6" in found, "what is added is nothing at 0"
    assert "`TEMPERATURE`: 0.5 -> 1.0, line 5" in found, "what something is divided by changes nothing at 1"
    assert "`EPOCHS`: 12 -> 1, line 8" in found
    assert "without `if problem.pairs is not None:`, line 18" in found
    assert "without `smooth(problem.weak[:, 1])`, line 16" in found
    assert "without `p = p / TEMPERATURE`, line 17" in found
    assert not any(label.startswith(("`LEARNING_RATE", "without `problem.note")) for label in found), "neither is a part"
    lines = OWN.splitlines()
    for label in found:
        number = int(label.rpartition("line ")[2])
        assert label.split("`")[1].split(":")[0] in lines[number - 1], label


def test_every_step_of_a_grammar_is_left_out_once() -> None:
    steps = [label for label in parts(SEEDS["selftrain"]) if label.startswith("without the step")]
    assert [label.split("`")[1] for label in steps] == ["select", "shape", "rounds"]


def test_parts_of_a_long_record_come_from_all_over_the_file_and_repeat() -> None:
    helpers = "\n\n\n".join(f"def part_{i}(p):\n    p = p + 0.{i}3\n    p = p * 3.{i}\n    return p" for i in range(1, 9))
    calls = "\n".join(f"    p = part_{i}(p)" for i in range(1, 9))
    source = f"{helpers}\n\n\ndef method(problem):\n    p = problem.weak[:, 1]\n{calls}\n    return p\n"
    found = parts(source)
    lines = [int(label.rpartition("line ")[2]) for label in found]
    assert len(found) == 12
    assert lines == sorted(lines)
    assert lines[0] < 10
    assert lines[-1] > source.count("\n") - 9
    assert found == parts(source)
    assert found.keys() != parts(source, seed=1).keys(), "another seed draws others"


def test_code_that_never_runs_is_no_part_of_the_record() -> None:
    unused = PARENT.replace("def select", "def idle(x):\n    x = x + 0.25\n    return x * 7\n\n\ndef select")
    assert not any("0.25" in label or "7" in label.split(",")[0] for label in parts(unused, most=40))


def test_the_record_itself_is_tried_first_without_a_race_and_no_child_is_made() -> None:
    experiments = Tried()
    draft = propose(SEEDS["selftrain"], Tools(SYNTAX, grammar=GRAMMAR, experiments=experiments))
    assert experiments.variants[0].source == SEEDS["selftrain"]
    assert not experiments.race, "differences are paired: every variant runs on every instance"
    assert len(experiments.variants) > 4
    assert (draft.source, draft.direction, draft.problem) == (None, None, "")
    assert draft.idea == f"what {len(experiments.variants) - 1} parts of the record are worth"


class Dying:
    """A worker that dies of every call."""

    def call(self, function: str, seconds: float, **arguments: object) -> dict[str, object]:
        raise WorkerDied("it took too long")


@pytest.mark.parametrize("source", ["", "x = 1", "def method(problem):\n    return problem.weak[:, 1]\n", "def method(:"])
def test_a_record_without_parts_is_left_alone(source: str) -> None:
    experiments = Tried()
    draft = propose(source, Tools(SYNTAX, grammar=GRAMMAR, experiments=experiments))
    assert not experiments.variants
    assert draft.problem == "the record has no part that can be neutralised"


def test_a_worker_that_dies_of_the_record_is_said_and_nothing_is_tried() -> None:
    experiments = Tried()
    assert "it took too long" in propose(OWN, Tools(Dying(), experiments=experiments)).problem
    assert not experiments.variants


def test_variants_of_the_record_compile_whatever_its_line_ends_and_letters() -> None:
    source = OWN.replace("\n", "\r\n").replace("smooth", "glätte")
    for made in parts(source, most=40).values():
        ast.parse(made)
