"""Checks that a domain of texts is honest and enough, before a model reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fitness.tasks.data.checks import LEAST_OF_CLASS, LEAST_ROWS, SHARED
from fitness.tasks.lm.rows import LABELLED, RESULTS, TEST, UNLABELLED, Domain, Rows

LEAST_LABELLED = 20  # rows that a teacher is fitted on
LONG = 0.01  # share of rows that may be longer than what a model is shown
LETTERS = 3  # of a token, where no tokenizer is at hand; English has four

Check = tuple[str, str, bool]
Measured = Callable[[Sequence[str]], Sequence[int]]  # prompts -> tokens of each


def check(domain: Domain, taught: bool, longest: int, measured: Measured | None = None) -> Iterator[Check]:
    """Check a domain: yield the name of each check, a sentence, and whether it passed.

    Args:
        domain: its rows.
        taught: whether the teacher's labels are there already.
        longest: tokens of a prompt that a model is shown at most.
        measured: counts the tokens of prompts; None where no tokenizer is at hand.
    """
    yield _rows(domain)
    yield _teacher(domain, taught)
    yield _classes(domain)
    yield _texts(domain)
    yield _shared(domain)
    yield _lengths(domain, longest, measured)


def _rows(domain: Domain) -> Check:
    counts = ", ".join(f"{len(rows):,} in {name}" for name, rows in domain.parts.items())
    least = {LABELLED: LEAST_LABELLED, UNLABELLED: LEAST_ROWS, TEST: LEAST_ROWS}
    few = [name for name, rows in domain.parts.items() if len(rows) < least[name]]
    if few:
        return "rows", f"too few rows in {few[0]}, at least {least[few[0]]} are needed: {counts}", False
    return "rows", f"rows: {counts}", True


def _teacher(domain: Domain, taught: bool) -> Check:
    if taught:
        return "teacher", f"the weak labels are those in {RESULTS}", True
    if domain.labelled is None:
        return "teacher", f"there is neither {LABELLED}.jsonl, to teach the weak model on, nor its labels in {RESULTS}", False
    return "teacher", f"the weak model is taught on {len(domain.labelled):,} labels", True


def _classes(domain: Domain) -> Check:
    said = []
    for name, rows in domain.parts.items():
        if rows.labels is None:
            continue
        counts = np.bincount(rows.labels, minlength=2)
        if counts.min() < LEAST_OF_CLASS:
            word, n = rows.format.answers[counts.argmin()], counts.min()
            return "classes", f"{n} rows of {name} have the label {word}, and {LEAST_OF_CLASS} are needed of each", False
        said.append(f"{counts[1] / len(rows):.2f} of {name}")
    return "classes", f"the label is {domain.test.format.answers[1]} in {', '.join(said)}", True


def _texts(domain: Domain) -> Check:
    for name, rows in domain.parts.items():
        empty = [(number, field) for number, text in enumerate(rows.texts, 1) for field in _empty(rows, text)]
        if empty:
            number, field = empty[0]
            return (
                "texts",
                f"{len(empty):,} texts of {name} are empty, first {field} of row {number}: leave them out",
                False,
            )
    return "texts", "no text is empty", True


def _empty(rows: Rows, text: Sequence[str]) -> list[str]:
    return [field for field, part in zip(rows.format.fields, text) if not part.strip()]


def _shared(domain: Domain) -> Check:
    """The same question in training and test: a method could remember its answer."""
    trained = {text[0].strip() for name, rows in domain.parts.items() if name != TEST for text in rows.texts}
    shared = sum(text[0].strip() in trained for text in domain.test.texts)
    said = f"{shared:,} of {len(domain.test):,} test rows ask what a training row asks"
    if shared > SHARED * len(domain.test):
        return "shared prompts", f"{said}: leave them out of one", False
    return "shared prompts", said, True


def _lengths(domain: Domain, longest: int, measured: Measured | None) -> Check:
    prompts = [prompt for rows in domain.parts.values() for prompt in rows.prompts]
    if measured is None:
        sizes = [len(prompt) // LETTERS for prompt in prompts]
        how = f"tokens of {LETTERS} letters, as no tokenizer is at hand"
    else:
        sizes, how = list(measured(prompts)), "tokens"
    over = sum(size > longest for size in sizes)
    said = f"{over:,} of {len(prompts):,} prompts are longer than {longest:,} {how}; the longest has {max(sizes):,}"
    if over > LONG * len(prompts):
        return "lengths", f"{said}: shorten them, or raise the option tokens", False
    return "lengths", f"{said}, and what is over is cut before the word Label", True
