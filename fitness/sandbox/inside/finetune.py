"""Trains the strong student of the language-model task, `problem.student`: an adapter on the texts that features were made of.

A method hands over features, as to any student. Rows that are those of the problem, bit for bit, stand for their texts, and an
adapter is trained on these; rows that the method made itself have no text, and train the head on features (student.py). The
notes `finetuned` and `heads` count which was which.

Loaded inside the sandbox; transformers and peft are imported by the zygote alone, before there is a child.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import torch

from .lora import LanguageModel, Tokens
from .recipe import AAR, LoraRecipe
from .settings import usual_settings
from .student import Loss, Predictor, Student

FILLED = -1  # behind the tokens of a row that is shorter than others
PADDING = 0  # any token will do: it is masked


class FineTuningStudent:
    """Fine-tunes a language model where it knows the texts of rows, and trains a head where it does not.

    The recipe's own learning rate, epochs and batch are used whatever a method asks for: they are said of heads. Targets,
    weights and the loss are the method's.
    """

    def __init__(
        self, seed: int, model: Any, rows: Mapping[str, tuple[torch.Tensor, torch.Tensor]], answers: tuple[int, int],
        note: Callable[[str, float], None], recipe: LoraRecipe = AAR,
    ) -> None:  # fmt: skip
        """Take what a trial knows.

        Args:
            seed: the trial's.
            model: a causal language model of transformers.
            rows: features, (n, d), and the tokens that they were made of, (n, longest), by name.
            answers: the tokens of class 0 and class 1.
            note: takes how many fits there were of each kind.
            recipe: how adapters are trained.
        """
        self._seed, self._model, self._answers, self._note, self._recipe = seed, model, answers, note, recipe
        self._head = Student(seed, n_classes=2)
        self._texts = {key: some for pair in rows.values() for key, some in zip(_keys(pair[0]), _unfilled(pair[1]))}
        self._language_model: LanguageModel | None = None
        self._finetuned = self._heads = 0

    def fit(
        self, x: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None, *, loss: Loss | None = None,
        **of_heads: Any,
    ) -> Callable[[torch.Tensor], torch.Tensor]:  # fmt: skip
        """Train on rows; the predictor takes (n, d) features and returns (n, 2) probabilities.

        Args:
            x: (n, d) features.
            targets, weights, loss: as in Student.fit.
            of_heads: the other arguments of Student.fit.
        """
        prompts = self._prompts(x)
        if prompts is None:
            return self._head_on(x, targets, weights, loss, of_heads)
        self._finetuned += 1
        self._note("finetuned", self._finetuned)
        with usual_settings(x.device):
            goal = self._head.distributions(torch.as_tensor(targets).detach(), len(prompts)).cpu()
            parts = None if weights is None else torch.as_tensor(weights, dtype=torch.float32).detach().cpu()
            seed = (self._seed * 1_000_003 + self._finetuned) % 2**63
            adapter = self._on(x.device).fit(prompts, goal, parts, seed=seed, loss=loss, recipe=self._recipe)
        head: Predictor | None = None

        def predict(rows: torch.Tensor) -> torch.Tensor:
            nonlocal head
            asked = self._prompts(rows)
            if asked is not None:
                with usual_settings(rows.device):
                    return adapter(asked).to(rows.device)
            head = head or self._head_on(x, targets, weights, loss, of_heads)
            return head(rows)

        return predict

    def _head_on(
        self, x: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None, loss: Loss | None, of_heads: dict[str, Any]
    ) -> Predictor:
        self._heads += 1
        self._note("heads", self._heads)
        return self._head.fit(x, targets, weights, loss=loss, **of_heads)

    def _on(self, device: torch.device) -> LanguageModel:
        """Return the model on a device; it is moved there for the first fit."""
        if self._language_model is None:
            self._language_model = LanguageModel(self._model.to(device), PADDING, self._answers)
        return self._language_model

    def _prompts(self, x: torch.Tensor) -> Tokens | None:
        """Return the tokens of rows, None where one of them is no row of the problem."""
        found = [self._texts.get(key) for key in _keys(x)]
        known = [tokens for tokens in found if tokens is not None]
        return known if len(known) == len(found) and found else None


def preloaded(folder: str) -> Any:
    """Load a model into this process, on the processor, and import what children will need to train it."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    import peft.tuners.lora  # noqa: F401  # for children, who could not load it
    from transformers import AutoModelForCausalLM

    on_gpu = bool(os.environ.get("CUDA_VISIBLE_DEVICES"))
    dtype = torch.bfloat16 if on_gpu else torch.float32
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True, use_safetensors=True)
    return model.eval().requires_grad_(False)


def _keys(x: torch.Tensor) -> list[bytes]:
    """Return each row's bytes."""
    rows = torch.as_tensor(x).detach().to("cpu", torch.float32).contiguous().numpy()
    return [row.tobytes() for row in rows]


def _unfilled(tokens: torch.Tensor) -> list[list[int]]:
    return [[token for token in row if token != FILLED] for row in tokens.tolist()]
