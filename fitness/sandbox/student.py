"""The default strong student of the embedded tier, handed to methods as `problem.student`: an MLP head on frozen features.

Loaded inside the sandbox; imports nothing of ours. The ceiling's student (fitness/tasks/student.py) has the same shape.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, pairwise

import torch
from torch.nn import functional as F

Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None, int], torch.Tensor]


class Predictor:
    """A trained student: (n, d) features to (n, n_classes) probabilities, without gradients."""

    def __init__(self, layers: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        self._layers = layers

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (n, n_classes) float32 probabilities of (n, d) features."""
        with torch.no_grad():
            return _logits(self._layers, torch.as_tensor(x, dtype=torch.float32)).softmax(1)


class Student:
    """Trains fresh heads; every fit has its own generator, made of the trial's seed and the number of the call."""

    def __init__(self, seed: int, n_classes: int) -> None:
        self._seed, self._classes, self._fits = seed, n_classes, 0

    def fit(
        self,
        x: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor | None = None,
        *,
        epochs: int = 8,
        lr: float = 3e-3,
        batch: int = 128,
        weight_decay: float = 1e-4,
        hidden: int = 64,
        loss: Loss | None = None,
    ) -> Predictor:
        """Train a head with AdamW, the learning rate falling linearly to 0.

        Args:
            x: (n, d) features.
            targets: (n,) class indices (integers) or P(y = 1) (floats), or (n, n_classes) probabilities.
            weights: (n,) example weights, or None.
            epochs: passes over the examples, each in a new order.
            lr: the first step's learning rate.
            batch: examples in a step.
            weight_decay: AdamW's.
            hidden: ReLU units; 0 for a linear head.
            loss: (logits, targets, weights, step) -> scalar, with (b, n_classes) targets and (b,) weights or None; the
                default is the weighted mean of the soft cross-entropy.
        """
        x = torch.as_tensor(x, dtype=torch.float32).detach()
        soft = self._distributions(torch.as_tensor(targets).detach(), len(x))
        weights = None if weights is None else torch.as_tensor(weights, dtype=torch.float32).detach()
        if weights is not None and weights.shape != (len(x),):
            raise ValueError(f"weights have shape {tuple(weights.shape)}, expected ({len(x)},)")
        self._fits += 1
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + self._fits) % 2**63)
        sizes = [x.shape[1], self._classes] if hidden == 0 else [x.shape[1], hidden, self._classes]
        layers = [_layer(m, n, generator) for m, n in pairwise(sizes)]
        optimizer = torch.optim.AdamW([p for pair in layers for p in pair], lr=lr, weight_decay=weight_decay, fused=True)
        score = loss or cross_entropy
        orders = (torch.split(torch.randperm(len(x), generator=generator), batch) for _ in range(epochs))
        steps = epochs * -(-len(x) // batch)
        with torch.enable_grad():
            for step, rows in enumerate(chain.from_iterable(orders)):
                optimizer.param_groups[0]["lr"] = lr * (1 - step / steps)
                optimizer.zero_grad()
                part = None if weights is None else weights[rows]
                torch.autograd.backward(score(_logits(layers, x[rows]), soft[rows], part, step))
                optimizer.step()
        return Predictor([(w.detach(), b.detach()) for w, b in layers])

    def _distributions(self, targets: torch.Tensor, n: int) -> torch.Tensor:
        """Return targets of any accepted form as (n, n_classes) float32 probabilities."""
        if targets.shape == (n, self._classes):
            return targets.float()
        if targets.shape != (n,):
            raise ValueError(f"targets have shape {tuple(targets.shape)}, expected ({n},) or ({n}, {self._classes})")
        if not targets.is_floating_point():
            return F.one_hot(targets.long(), self._classes).float()
        if self._classes != 2:
            raise ValueError(f"float targets of shape ({n},) are P(y = 1), but there are {self._classes} classes")
        return torch.stack([1 - targets, targets], 1).float()


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None, step: int) -> torch.Tensor:
    """Return the (weighted) mean over a batch of the cross-entropy against (b, n_classes) probabilities."""
    if weights is None:
        return F.cross_entropy(logits, targets)
    each = F.cross_entropy(logits, targets, reduction="none")
    return (each * weights).sum() / weights.sum().clamp_min(1e-8)


def _layer(inputs: int, outputs: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weights of variance 1 / fan-in and zero biases, both trainable."""
    weight = torch.randn(inputs, outputs, generator=generator) / inputs**0.5
    return weight.requires_grad_(), torch.zeros(outputs).requires_grad_()


def _logits(layers: list[tuple[torch.Tensor, torch.Tensor]], x: torch.Tensor) -> torch.Tensor:
    *hidden, (weight, bias) = layers
    for w, b in hidden:
        x = torch.addmm(b, x, w).relu()
    return torch.addmm(bias, x, weight)
