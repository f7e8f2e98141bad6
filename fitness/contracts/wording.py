"""Says in words what a contract says in data: the text in the system prompt."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path

from fitness.contracts.contract import ENTRY, PARAMETER, TEXT, Answer, Array, Contract, Words

WIDTH, COLUMN = 129, 24
HEAD = """\
A method is one Python file of at most 32 KB that defines, at the top level,

    def {entry}({parameter}):
        ...
        return {answer:<20} # {shapes}; real, finite{ends}
"""
STUB = '''\
"""One line that says what the idea is.

Where it comes from, and why it should work.
"""

import torch

START = {start}  # a constant with a name is one that a search can tune


def {entry}({parameter}):
{handed}
    # {parameter}.seed: draw from this seed only: the same problem must give the same answer
    # {parameter}.note("name", number): numbers of your own; `judge` shows them, and nothing is decided by them
    return torch.full(({sizes}), START, device={parameter}.device)
'''
DEVICE = "torch.device, the CPU or a GPU: make your own tensors there"
STUDENT = """\
.fit(x, targets, weights=None, *, epochs=8, lr=0.003, batch=128, weight_decay=0.0001, hidden=64, loss=None) -> predictor
An MLP with one layer of `hidden` ReLU units (0: a linear head) and AdamW; the learning rate falls linearly to 0.
targets (n,) classes or P(y = 1), or (n, {classes}); predictor(x) -> (n, {classes}) probabilities.
weights (n,) are divided by their sum in each batch, so only their ratios count; the default loss is soft cross-entropy.
loss(logits, targets, weights, step) -> scalar is handed the weights as they are; step counts batches from 0 over all epochs.
Using it is optional: a method may train its own head."""

TUNED = """
Fitted on rows of train_x as they are it fine-tunes the strong model on their texts instead, and predicts rows of test_x by
theirs: lr, epochs, batch, weight_decay and hidden are then its own. Rows that were changed train the head."""


def text(contract: Contract) -> str:
    """Return the contract in words: what a method defines, what it is handed, what it returns, how that is scored."""
    answer = contract.answer
    ends = "" if answer.low is None and answer.high is None else f", in {answer.limits}"
    head = HEAD.format(entry=ENTRY, parameter=PARAMETER, answer=answer.meaning, shapes=_shapes(answer), ends=ends)
    handed = [_handed(array, first=array is contract.arrays[0]) for array in contract.arrays]
    handed += [_entry(name, "int") for name in (*contract.told, "seed")]
    handed.append(_entry("device", DEVICE))
    if contract.student:
        handed.append(_entry("student", STUDENT.format(classes=contract.student) + TUNED * bool(contract.tuned)))
    return "\n".join([head, *handed, "", contract.words.scored or _scored(contract.words)]) + "\n"


def stub(contract: Contract) -> str:
    """Return a method to begin with, which answers as it is."""
    if contract.stub:
        return Path(__file__).with_name(contract.stub).read_text(encoding="utf-8")
    low, high = contract.answer.low, contract.answer.high
    start = min(max(0.0, -math.inf if low is None else low), math.inf if high is None else high)
    handed = "\n".join(f"    # {line.strip()}" for array in contract.arrays for line in _handed(array, False).splitlines())
    sizes = ", ".join(_size(dim, contract) for dim in contract.answer.axes) + "," * (len(contract.answer.axes) == 1)
    return STUB.format(entry=ENTRY, parameter=PARAMETER, handed=handed, sizes=sizes, start=start)


def _size(dim: str, contract: Contract) -> str:
    """Return how a method finds the size of a dimension."""
    if dim.isdigit():
        return dim
    array = min((array for array in contract.arrays if dim in array.axes), key=lambda array: array.optional)
    name = f"{PARAMETER}.{array.name}"
    return f"len({name})" if array.axes[0] == dim else f"{name}.shape[{array.axes.index(dim)}]"


def shape(axes: tuple[str, ...]) -> str:
    """Return dimensions as a shape is written: (n, d)."""
    return f"({axes[0]},)" if len(axes) == 1 else f"({', '.join(axes)})"


def _shapes(answer: Answer) -> str:
    whole = shape(answer.axes)
    return f"{shape(answer.axes[:-1])} {answer.single}, or {whole}" if answer.single else whole


def _handed(array: Array, first: bool) -> str:
    kind = "list of strings" if array.dtype == TEXT else f"{array.dtype}{' tensor on problem.device' if first else ''}"
    whole = f"{'None, or ' if array.optional else ''}{shape(array.axes) if array.axes else 'one number,'} {kind}"
    return _entry(array.name, f"{whole}: {array.meaning}".removesuffix(": "))


def _entry(name: str, words: str) -> str:
    first, *others = [part for line in words.splitlines() for part in textwrap.wrap(line, WIDTH - COLUMN)]
    return "\n".join([f"    {f'{PARAMETER}.{name}':<{COLUMN - 5}} {first}", *(" " * COLUMN + line for line in others)])


def _scored(words: Words) -> str:
    formula = f"The score is the gap recovered: ({words.value} - floor) / (ceiling - floor), and more is better."
    return "\n".join(
        textwrap.wrap(f"{formula} 0 is {words.floor}, 1 is {words.ceiling}, and a method can do worse than 0.", WIDTH)
    )
