"""What a method notes: a block of numbers beside its answer, which tells no label, decides nothing and outlives no trial."""

from __future__ import annotations

import math
import struct
import textwrap
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_problem import LIMITS

from fitness.contracts.contract import Problem
from fitness.judge import Judge
from fitness.nouns import Method, Outcome, Split, Status
from fitness.sandbox.inside.notes import BLOCK, EMPTY, SLOT, Notes, read
from fitness.sandbox.sandbox import Sandbox
from fitness.vault.builder import Builder
from fitness.vault.instance import InstanceName
from fitness.vault.vault import Vault
from tests.support import tiny

FINE = "    return problem.test_x[:, 0].sigmoid()\n"
FORGE = """
import os, struct, torch
def method(problem):
    block = {block}
    stream = b"P" + block.ljust(1024, b"\\0") + bytes(300 * 8)
    for descriptor in range(3, 256):
        try:
            os.write(descriptor, stream)
        except OSError:
            pass
    os._exit(0)
"""


def run(sandbox: Sandbox, problem: Problem, body: str) -> Outcome:
    return sandbox.run("import torch, math\ndef method(problem):\n" + textwrap.indent(textwrap.dedent(body), "    ") + FINE,
                       problem, LIMITS)  # fmt: skip


def slot(name: bytes, number: float) -> bytes:
    return SLOT.pack(name, number)


@given(
    st.lists(st.tuples(st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,23}", fullmatch=True), st.floats(allow_nan=False)), max_size=60)
)
def test_the_block_has_one_size_and_gives_back_the_first_32_finite_numbers(noted: list[tuple[str, float]]) -> None:
    notes, expected = Notes(), dict[str, float]()
    for name, number in noted:
        notes(name, number)
        if math.isfinite(number) and (name in expected or len(expected) < 32):
            expected[name] = number
    assert len(notes.block()) == BLOCK == 1024
    assert read(notes.block()) == expected


@pytest.mark.parametrize("number", [math.nan, math.inf, 10**400, -(10**400)])
def test_a_number_that_no_float_can_be_is_left_out(number: float) -> None:
    notes = Notes()
    notes("a", number)
    assert notes.block() == EMPTY


def test_a_method_notes_numbers_of_its_own_beside_its_answer(sandbox: Sandbox, problem: Problem) -> None:
    outcome = run(sandbox, problem, "problem.note('top.eigenvalue', torch.ones(3).sum())\nproblem.note('steps', 7)\n")
    assert (outcome.status, outcome.notes) == (Status.OK, {"top.eigenvalue": 3.0, "steps": 7.0})
    assert run(sandbox, problem, "pass\n").notes == {}


def test_a_method_that_fails_keeps_what_it_noted_before(sandbox: Sandbox, problem: Problem) -> None:
    outcome = run(sandbox, problem, "problem.note('reached', 2)\nraise ValueError('here')\n")
    assert (outcome.status, outcome.notes) == (Status.CRASHED, {"reached": 2.0})
    assert "ValueError at line 4" in outcome.message


def test_a_wrong_name_is_an_error_and_what_depends_on_data_is_left_out(sandbox: Sandbox, problem: Problem) -> None:
    for name in ("''", "'has space'", "'x' * 25", "'ü'", "'0x'", "5", "'line\\n'"):
        outcome = run(sandbox, problem, f"problem.note({name}, 1)\n")
        assert outcome.status is Status.CRASHED, name
        assert "a note is named by a letter" in outcome.message
    assert run(sandbox, problem, "problem.note('x', 'three')\n").status is Status.CRASHED
    outcome = run(sandbox, problem, "problem.note('x', math.nan)\nfor i in range(40): problem.note(f'n{i}', i)\n")
    assert (outcome.status, len(outcome.notes), "x" in outcome.notes) == (Status.OK, 32, False)


@pytest.mark.parametrize(
    "block",
    [
        "struct.pack('<24sd', b'not a name!', 1.0)",
        "struct.pack('<24sd', b'0secret', 1.0)",
        "struct.pack('<24sd', b'hidden\\0words', 1.0)",
        "struct.pack('<24sd', 'ü'.encode(), 1.0)",
        "struct.pack('<24sd', b'x', float('nan'))",
        "struct.pack('<24sd', b'x', 1.0) * 2",
        "struct.pack('<24sd', b'', 1.0)",
        "bytes(32) + struct.pack('<24sd', b'after_a_gap', 1.0)",
        "b'\\xff' * 1024",
    ],
)
def test_a_block_that_no_note_makes_is_a_violation_and_shows_nothing(sandbox: Sandbox, problem: Problem, block: str) -> None:
    outcome = sandbox.run(FORGE.format(block=block), problem, LIMITS)
    assert (outcome.status, outcome.predictions, outcome.notes) == (Status.VIOLATION, None, {}), outcome.message


def test_a_forged_block_of_the_right_form_is_at_most_a_wrong_note(sandbox: Sandbox, problem: Problem) -> None:
    outcome = sandbox.run(FORGE.format(block="struct.pack('<24sd', b'pgr', 9.0)"), problem, LIMITS)
    assert (outcome.status, outcome.notes) == (Status.OK, {"pgr": 9.0})


def test_notes_are_no_memory_between_trials(sandbox: Sandbox, problem: Problem) -> None:
    first = run(sandbox, problem, "problem.note('n', 41)\nproblem.note.__class__.LEFT = 41\n")
    body = """
    import gc
    kept = [o for o in gc.get_objects() if type(o).__name__ == 'Notes']
    problem.note('others', sum(len(o._kept) for o in kept) + hasattr(problem.note.__class__, 'LEFT'))
    """
    assert first.notes == {"n": 41.0}
    assert run(sandbox, problem, body).notes == {"others": 0.0}


def test_no_note_tells_a_label_because_notes_are_the_same_whatever_the_labels_are(sandbox: Sandbox) -> None:
    """Two instances with the same public arrays and opposite labels: scores differ, and no bit of what is noted."""
    source = "import gc, torch\ndef method(problem):\n" + textwrap.indent(
        textwrap.dedent("""
        tensors = [o for o in gc.get_objects() if isinstance(o, torch.Tensor) and o.numel()]
        for i, tensor in enumerate(tensors[:30]):
            problem.note(f'sum{i}', tensor.double().sum())
        problem.note('tensors', len(tensors))
        problem.note('seed', problem.seed)
        """),
        "    ",
    )
    name = InstanceName("tiny", "chat", Split.DEV, 0)
    vault = Vault()
    with Builder(vault, tiny.TASK) as builder:
        builder.start([name])
        builder.wait_for(name, 120)
    true = vault.load(tiny.TASK, name)
    turned = replace(true, private={**true.private, "test_y": 1 - true.private["test_y"]})
    method, never = Method("m" * 64, source + FINE, 9), threading.Event()
    judges = [Judge(tiny.TASK, vault, sandbox, lambda _, held=held: held, never) for held in (true, turned)]
    trials = [judge.trial(method, name) for judge in judges]
    assert [trial.status for trial in trials] == [Status.OK, Status.OK]
    assert trials[0].score != trials[1].score
    assert trials[0].notes == trials[1].notes
    assert trials[0].notes["tensors"] >= 3
    assert np.isfinite(list(trials[0].notes.values())).all()


def test_notes_of_a_number_of_zero_bytes_and_of_full_slots_are_read_whole() -> None:
    full = b"".join(slot(f"name{i:020}".encode(), 0.1) for i in range(32))
    assert len(read(full) or {}) == 32
    assert read(slot(b"zero", 0.0).ljust(BLOCK, b"\0")) == {"zero": 0.0}
    assert struct.calcsize(SLOT.format) == 32
