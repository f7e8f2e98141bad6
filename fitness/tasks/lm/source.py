"""Draws instances of texts that language models have read (builder process only)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fitness.auc import auc
from fitness.registry import UsageError
from fitness.sandbox.inside.finetune import FILLED
from fitness.tasks.data.pool import Pool, digest_of
from fitness.tasks.data.source import Chosen, choose, framed
from fitness.tasks.lm import results
from fitness.tasks.lm.readers import Reader
from fitness.tasks.lm.rows import Domain, RowFormat, files_of, load
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw

FIRST_SEED = 42  # AAR's seeds are 42 and those that follow


@dataclass(frozen=True, eq=False)
class Read:
    """A domain as models have read it, with one teacher.

    Attributes:
        pool: features, the teacher's labels, true labels.
        floor: the teacher's accuracy where it is known from elsewhere, and its answers to the test rows are not.
        ceiling: the accuracy of a fine-tune on true labels where that is known from elsewhere, or its answers to the test rows,
            (m, 2); None at the probes' fidelity, where the ceiling is the default student.
    """

    pool: Pool
    floor: float | None = None
    ceiling: np.ndarray | float | None = None


class LmSource:
    """Draws instances of the domains in a folder of texts."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._folder, self._options = Path(options["folder"]), options
        self._domain, self._read, self._tokens = cache(self._load), cache(self._read_by_models), cache(self._tokenised)
        self._reader = cache(self._reader_of)  # a model is loaded once for all teachers, and for domains of one format

    def draw(self, domain: str, secret: Secret) -> Draw:
        """Draw one of the teachers, and some of the training and of the test rows, in the methods' frame."""
        read = self._read(domain, int(secret.rng("teacher").integers(self._options["seeds"])))
        rows = choose(read.pool, self._options, secret)
        drawn = framed(read.pool, rows, self._options, secret)
        if read.floor is not None:
            drawn = replace(drawn, floor=read.floor, ceiling_auc=None)
        if self._options["fidelity"] == "probe":
            return drawn
        public = {**drawn.public, **self._shown(domain, rows)}
        if read.ceiling is None:
            return replace(drawn, public=public)
        if isinstance(read.ceiling, float):
            return replace(drawn, public=public, ceiling=read.ceiling, ceiling_auc=None)
        answers, truth = read.ceiling[rows.test], read.pool.labels[rows.test]
        area = auc(answers, truth) if read.floor is None else None
        return replace(drawn, public=public, ceiling=float((answers.argmax(1) == truth).mean()), ceiling_auc=area)

    def _load(self, domain: str) -> Domain:
        """Read a domain whose files are as they were when the run began. Raises UsageError."""
        for path in files_of(self._folder / domain).values():
            if self._options["files"].get(name := str(path.relative_to(self._folder))) != digest_of(path):
                raise UsageError(f"{name} in {self._folder} has changed since: put it back as it was, or begin a new run")
        return load(self._folder / domain)

    def _reader_of(self, which: str, rows: RowFormat) -> Reader:
        return Reader(self._options[which], rows, self._options["depth"], self._options["tokens"])

    def _read_by_models(self, name: str, teacher: int) -> Read:
        domain = self._domain(name)
        strong, seed = self._reader("strong", domain.train.format), FIRST_SEED + teacher
        train, test, n = domain.train.prompts, domain.test.prompts, len(domain.train)
        known = results.teachers(results.read(self._folder), name, n)
        floor: float | None = None
        if known:
            weak, answers = known[teacher % len(known)].soft_labels, None
            floor = known[teacher % len(known)].numbers.get("weak_acc")
        elif domain.labelled is not None:
            how = self._options["taught"]
            found = self._reader("weak", domain.train.format).taught(domain.labelled, (*train, *test), seed, how)
            weak, answers = found[:n], found[n:]
        else:
            raise UsageError(f"{self._folder / name} has no train_label.jsonl to teach the weak model on")
        assert weak is not None
        assert domain.test.labels is not None
        pool = Pool(
            strong.features(train), weak, strong.features(test), domain.test.labels, answers, train_labels=domain.train.labels
        )
        return Read(pool, floor, self._ceiling(name, seed))

    def _ceiling(self, name: str, seed: int) -> np.ndarray | float | None:
        if self._options["fidelity"] == "probe" or self._options["ceiling"] is not None:
            return None
        known = results.ceiling(results.read(self._folder), name)
        if known is not None:
            return known
        domain = self._domain(name)
        if domain.train.labels is None:
            raise UsageError("train_unlabel has no labels to fine-tune the ceiling on: set ceiling to an accuracy")
        return self._reader("strong", domain.train.format).taught(domain.train, domain.test.prompts, seed, "finetune")

    def _tokenised(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the tokens of the training and of the test prompts, (n, longest) int32 each, and of the two answers."""
        domain = self._domain(name)
        strong = self._reader("strong", domain.train.format)
        train, test = (_filled(strong.tokens(rows.prompts)) for rows in (domain.train, domain.test))
        return train, test, np.array(strong.answers, np.int32)

    def _shown(self, name: str, rows: Chosen) -> dict[str, np.ndarray]:
        train, test, answers = self._tokens(name)
        return {"train_tokens": train[rows.train], "test_tokens": test[rows.test], "answer_tokens": answers}


def _filled(tokens: list[list[int]]) -> np.ndarray:
    found = np.full((len(tokens), max(map(len, tokens))), FILLED, np.int32)
    for row, some in enumerate(tokens):
        found[row, : len(some)] = some
    return found
