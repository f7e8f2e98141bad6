"""Has models read a domain: the strong model's features, the weak teacher's answers, and the fine-tuned ceiling (builder only).

Each is computed once and kept (kept.py); a model is loaded when something of it is missing, and not before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from fitness.registry import UsageError
from fitness.sandbox.inside.lora import LanguageModel, TooLong
from fitness.tasks.data.source import SHARE
from fitness.tasks.embedded.drawing import fit as fit_head
from fitness.tasks.lm import kept, models, prompts
from fitness.tasks.lm.cost import READ, TRAINED
from fitness.tasks.lm.rates import PROCESSOR, RateMeter, Work
from fitness.tasks.lm.rows import RowFormat, Rows

PENALTY = 0.05  # of the teacher's head, where it is one; as on the embedded domains


@dataclass(frozen=True, eq=False)
class Reader:
    """A model that reads prompts of one format.

    Attributes:
        name: the model's; `format`: the rows'.
        depth: the block whose states are features, as a share of all; `longest`: tokens of a prompt at most.
    """

    name: str
    format: RowFormat
    depth: float
    longest: int

    def features(self, texts: Sequence[str]) -> np.ndarray:
        """Return the (n, width) states behind the last token of each prompt, mapped from a file."""
        name = kept.name_of("features", *self._key, self.depth, list(texts))

        def parts(done: int) -> Iterator[tuple[list[int], np.ndarray]]:
            tokens, meter = self.tokens(texts), self._meter("reading", READ * self.depth)
            for rows, part in self.model.states(tokens, self.depth, done):
                meter.did(sum(len(tokens[row]) for row in rows))
                yield rows, part.numpy()

        with self._fitting():
            return kept.rows(name, (len(texts), models.shape_of(self.name).width), parts)

    def taught(self, labelled: Rows, others: Sequence[str], seed: int, how: str) -> np.ndarray:
        """Return the (n, 2) probabilities for other prompts, of the model taught on labelled rows.

        `how` is "finetune", AAR's recipe, or "probe": a logistic head on its features of some rows, others for each seed.
        """
        assert labelled.labels is not None
        given = list(labelled.prompts), labelled.labels, list(others)
        name = kept.name_of("taught", *self._key, how, self.depth, seed, *given)
        return kept.array(name, lambda: self._taught(labelled, others, seed, how))

    @contextlib.contextmanager
    def _fitting(self) -> Iterator[None]:
        """Turn a lack of memory into a sentence. Raises UsageError."""
        try:
            yield
        except TooLong as error:
            advice = "set the option tokens lower, or name a smaller model"
            raise UsageError(f"{self.name} has no room here: {error}; {advice}") from None

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of prompts."""
        return prompts.sequences(self.loaded.tokenizer, texts, self.loaded.chat, self.longest)

    @cached_property
    def loaded(self) -> models.Loaded:
        """The model as it was loaded."""
        return models.load(self.name)

    @cached_property
    def model(self) -> LanguageModel:
        """The model, to be asked and taught."""
        return LanguageModel(self.loaded.model, self.loaded.padding, self.answers)

    @cached_property
    def answers(self) -> tuple[int, int]:
        """The tokens of the two answers."""
        return prompts.answers(self.loaded.tokenizer, self.format)

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return models.fingerprint(models.folder_of(self.name)), models.is_chat(self.name), self.longest

    def _meter(self, work: Work, flop: float) -> RateMeter:
        """Return what measures this model at work; `flop` is counted for a weight and token."""
        device = self.model.device
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else PROCESSOR
        shape = models.shape_of(self.name)
        return RateMeter(name, work, shape, flop * shape.parameters)

    def _taught(self, labelled: Rows, others: Sequence[str], seed: int, how: str) -> np.ndarray:
        assert labelled.labels is not None
        if how == "probe":
            some = np.random.default_rng(seed).permutation(len(labelled))[: int(SHARE * len(labelled))]
            head = fit_head(self.features(labelled.prompts)[some], labelled.labels[some], PENALTY)
            return head.probabilities(self.features(others))
        truth = torch.nn.functional.one_hot(torch.from_numpy(labelled.labels).long(), 2).float()
        with self._fitting():
            meter = self._meter("training", TRAINED)
            adapter = self.model.fit(self.tokens(labelled.prompts), truth, seed=seed, did=meter.did)
            return adapter(self.tokens(others)).numpy()
