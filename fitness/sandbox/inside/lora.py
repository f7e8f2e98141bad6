"""Fine-tunes a causal language model by AAR's recipe: LoRA with rank-stabilised scale, trained on the token of the label.

Loaded inside the sandbox, and by the builder for the weak teacher; transformers made the model, and only peft is imported here.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.nn import functional as F

from .recipe import AAR, PROJECTIONS, LoraRecipe
from .student import Loss

Tokens = Sequence[Sequence[int]]
FULL = ("allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")  # what torch says beside raising OutOfMemoryError


class TooLong(MemoryError):
    """Not even one prompt fits into the memory there is."""


class _Reached(Exception):
    """The block was reached whose states are wanted."""


class LanguageModel:
    """A causal language model that is asked at the last token of each prompt which of two answers follows.

    Its weights never change: every fit trains an adapter of its own beside them.
    """

    def __init__(self, model: Any, padding: int, answers: tuple[int, int], budget: int = 16_384) -> None:
        """Take a model of transformers.

        Args:
            model: it, in evaluation mode.
            padding: the token that fills prompts up on the left; it is masked.
            answers: the tokens of class 0 and class 1.
            budget: tokens that are computed at once, padding included; halved for good whenever memory runs out.
        """
        self.device: torch.device = model.device
        self._model, self._padding, self._answers, self._budget = model, padding, list(answers), budget
        self._adapted: Any = None  # peft's model around it, once there is an adapter
        self._names = (f"fit{number}" for number in itertools.count(1))

    def fit(
        self,
        prompts: Tokens,
        targets: torch.Tensor,
        weights: torch.Tensor | None = None,
        *,
        seed: int,
        loss: Loss | None = None,
        recipe: LoraRecipe = AAR,
        did: Callable[[int], None] = lambda tokens: None,
    ) -> Adapter:
        """Train an adapter on prompts.

        Args:
            prompts: tokens of each.
            targets: (n, 2) probabilities of the answers.
            weights: (n,) weights, or None.
            seed: of the adapter's weights and of the order.
            loss: (logits, targets, weights, step) -> scalar, with the (b, 2) logits of the two answers; the default is the
                weighted mean of the cross-entropy over the whole vocabulary.
            recipe: how.
            did: is told after each step how many tokens were trained on.
        """
        name = self._added(recipe, seed)
        trained = [p for key, p in self._adapted.named_parameters() if f".{name}." in key]
        optimizer = torch.optim.Adam(trained, lr=recipe.lr, betas=recipe.betas)
        steps = recipe.epochs * -(-len(prompts) // recipe.batch)
        for step, rows in enumerate(_orders(len(prompts), recipe, seed)):
            for group in optimizer.param_groups:
                group["lr"] = recipe.lr * recipe.share(step, steps)
            goal, part = targets[rows].to(self.device), None if weights is None else weights[rows].to(self.device)
            self._gradient([prompts[row] for row in rows], self._objective(loss, goal, part, step), optimizer)
            optimizer.step()
            did(sum(len(prompts[row]) for row in rows))
        self._adapted.eval()
        self._adapted.requires_grad_(False)
        return Adapter(self, name)

    def probabilities(self, prompts: Tokens, adapter: str = "") -> torch.Tensor:
        """Return the (n, 2) probabilities of the two answers, by an adapter or by the model alone."""
        if adapter:
            self._adapted.set_adapter(adapter, inference_mode=True)
        found = torch.empty(len(prompts), 2)
        for rows, part in self._each(prompts, lambda some: self._logits(some, bare=not adapter)[:, self._answers].softmax(1)):
            found[rows] = part
        return found

    def states(self, prompts: Tokens, depth: float, done: int = 0) -> Iterator[tuple[list[int], torch.Tensor]]:
        """Yield rows and their (b, width) states behind the last token, at a depth: the share of the blocks that are computed.

        The order is that of the lengths, whatever memory there is; the first `done` rows of it are left out.
        """
        blocks = self._model.get_decoder().layers
        block = blocks[max(1, round(depth * len(blocks))) - 1]
        return self._each(prompts, lambda some: self._state(some, block), done)

    def _state(self, prompts: Tokens, block: Any) -> torch.Tensor:
        """Return the states that a block puts out; the blocks above it are not computed."""
        kept = list[torch.Tensor]()

        def keep(module: object, given: object, states: Any) -> None:
            kept.append((states if isinstance(states, torch.Tensor) else states[0])[:, -1].float())
            raise _Reached

        handle = block.register_forward_hook(keep)
        try:
            with contextlib.suppress(_Reached):
                self._logits(prompts, bare=True)
        finally:
            handle.remove()
        return kept[0]

    def _each(
        self, prompts: Tokens, compute: Callable[[Tokens], torch.Tensor], done: int = 0
    ) -> Iterator[tuple[list[int], torch.Tensor]]:
        """Yield rows and what is computed of them, without gradients, as many at a time as fit into memory."""
        order = _by_length(prompts)
        while done < len(order):
            rows = self._next(prompts, order, done)
            try:
                with torch.no_grad():
                    found = compute([prompts[row] for row in rows]).cpu()
            except (torch.OutOfMemoryError, RuntimeError) as error:
                self._halve(error, len(prompts[rows[0]]))
                continue
            yield rows, found
            done += len(rows)

    def scales(self) -> set[float]:
        """Return what the updates of all adapters are multiplied by."""
        layers = [] if self._adapted is None else [m for m in self._adapted.modules() if hasattr(m, "lora_A")]
        return {scale for layer in layers for scale in layer.scaling.values()}

    def _added(self, recipe: LoraRecipe, seed: int) -> str:
        """Add an adapter, whose update is 0, and have it alone trained."""
        from peft import LoraConfig, get_peft_model

        name = next(self._names)
        config = LoraConfig(
            r=recipe.rank, lora_alpha=recipe.alpha, use_rslora=True, lora_dropout=0.0, target_modules=list(PROJECTIONS),
            bias="none", task_type="CAUSAL_LM",
        )  # fmt: skip
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            if self._adapted is None:
                self._adapted = get_peft_model(self._model, config, adapter_name=name)
                self._checkpoint()
            else:
                self._adapted.add_adapter(name, config)
        self._adapted.set_adapter(name)
        self._adapted.train()  # checkpoints are for training only; there is no dropout
        return name

    def _checkpoint(self) -> None:
        """Keep what enters each block, and compute the rest again on the way back: a third more work, much less memory."""
        newer = getattr(self._model, "activation_checkpointing_enable", None)  # what transformers calls it from 5.24 on
        (newer or self._model.gradient_checkpointing_enable)({"use_reentrant": False})

    def _objective(
        self, loss: Loss | None, targets: torch.Tensor, weights: torch.Tensor | None, step: int
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        """Return what makes one number of a batch's (b, vocabulary) logits."""

        def usual(logits: torch.Tensor) -> torch.Tensor:
            each = -(targets * F.log_softmax(logits, 1)[:, self._answers]).sum(1)
            return each.mean() if weights is None else (each * weights).sum() / weights.sum().clamp_min(1e-8)

        return usual if loss is None else lambda logits: loss(logits[:, self._answers], targets, weights, step)

    def _gradient(
        self, prompts: Tokens, objective: Callable[[torch.Tensor], torch.Tensor], optimizer: torch.optim.Optimizer
    ) -> None:
        """Fill the gradient of a batch's loss; what does not fit at once is computed in parts, with the same result."""
        while True:
            optimizer.zero_grad(set_to_none=True)
            try:
                with torch.enable_grad():
                    self._backward(prompts, objective)
                return
            except (torch.OutOfMemoryError, RuntimeError) as error:
                self._halve(error, max(map(len, prompts)))

    def _backward(self, prompts: Tokens, objective: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Go backward through the whole batch, or, where that is too much, through parts with the slopes at all logits.

        Without dropout a second pass gives the same logits, so the parts' gradients add up to the batch's.
        """
        parts = list(self._parts(prompts))
        if len(parts) == 1:
            objective(self._logits(prompts)).backward()  # type: ignore[no-untyped-call]  # torch's
            return
        order = [row for rows in parts for row in rows]
        with torch.no_grad():
            logits = torch.cat([self._logits([prompts[row] for row in rows]) for rows in parts])
        whole = torch.empty_like(logits).index_copy_(0, torch.tensor(order, device=self.device), logits).requires_grad_()
        (slopes,) = torch.autograd.grad(objective(whole), whole)
        for rows in parts:
            self._logits([prompts[row] for row in rows]).backward(slopes[rows])  # type: ignore[no-untyped-call]  # torch's

    def _logits(self, prompts: Tokens, bare: bool = False) -> torch.Tensor:
        """Return the (n, vocabulary) float32 logits behind the last token of each prompt: nowhere else are any computed."""
        longest = max(map(len, prompts))
        tokens = torch.full((len(prompts), longest), self._padding)
        mask = torch.zeros_like(tokens)
        for row, prompt in enumerate(prompts):
            tokens[row, longest - len(prompt) :] = torch.tensor(prompt)
            mask[row, longest - len(prompt) :] = 1
        places = (mask.cumsum(1) - 1).clamp_min(0)
        sent = {"input_ids": tokens, "attention_mask": mask, "position_ids": places}
        arguments = {name: value.to(self.device) for name, value in sent.items()}
        if bare and self._adapted is not None:
            with self._adapted.disable_adapter():
                return self._asked(self._adapted, arguments)
        return self._asked(self._adapted or self._model, arguments)

    def _asked(self, model: Any, arguments: dict[str, torch.Tensor]) -> torch.Tensor:
        logits: torch.Tensor = model(**arguments, use_cache=False, logits_to_keep=1).logits
        return logits[:, -1].float()

    def _parts(self, prompts: Tokens) -> Iterator[list[int]]:
        """Yield the rows of parts that are computed at once."""
        order, start = _by_length(prompts), 0
        while start < len(order):
            yield (rows := self._next(prompts, order, start))
            start += len(rows)

    def _next(self, prompts: Tokens, order: Sequence[int], start: int) -> list[int]:
        """Return the next rows of an order whose size, padded to the first of them, keeps to the budget."""
        return list(order[start : start + max(1, self._budget // max(1, len(prompts[order[start]])))])

    def _halve(self, error: RuntimeError, longest: int) -> None:
        """Take half as much at once from now on. Raises TooLong where that is less than one prompt, and any other error."""
        if not isinstance(error, torch.OutOfMemoryError) and not any(sign in str(error) for sign in FULL):
            raise error
        if self._budget <= longest:
            raise TooLong(f"a prompt of {longest:,} tokens does not fit into the memory that is free") from error
        self._budget //= 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


class Adapter:
    """A trained adapter: prompts to the probabilities of the two answers."""

    def __init__(self, model: LanguageModel, name: str) -> None:
        self._model, self._name = model, name

    def __call__(self, prompts: Tokens) -> torch.Tensor:
        """Return the (n, 2) probabilities of prompts."""
        return self._model.probabilities(prompts, self._name)


def _by_length(prompts: Tokens) -> list[int]:
    """Return the rows, the longest prompts first: memory runs out at once, if ever."""
    return sorted(range(len(prompts)), key=lambda row: (-len(prompts[row]), row))


def _orders(n: int, recipe: LoraRecipe, seed: int) -> Iterator[list[int]]:
    """Yield the rows of every step."""
    generator = torch.Generator("cpu").manual_seed(seed % 2**63)
    for _ in range(recipe.epochs):
        order = torch.randperm(n, generator=generator, device="cpu").tolist()
        yield from (order[start : start + recipe.batch] for start in range(0, n, recipe.batch))
