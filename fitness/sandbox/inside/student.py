"""Trains the default strong student of the embedded tier, `problem.student`: an MLP head on frozen features.

Loaded inside the sandbox, and by the builder for the ceiling. The network has one hidden layer, so its backward pass is written
out: autograd would cost more than the arithmetic, and is kept for the loss of a method's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch.nn import functional as F
from torch.optim.adamw import adamw

from .settings import usual_settings

Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None, int], torch.Tensor]


class Head:
    """An MLP with one hidden ReLU layer (or none), all of its parameters in one vector.

    Attributes:
        parameters: the vector; weights have variance 1 / fan-in, biases are 0.
        gradient: a vector of the same length, filled by `backward`.

    The generator is the processor's, wherever the head lies: every device starts from the same weights.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int, generator: torch.Generator, device: torch.device) -> None:
        sizes = [(inputs, hidden), (hidden, outputs)] if hidden else [(inputs, outputs)]
        self.parameters = torch.zeros(sum(m * n + n for m, n in sizes), device=device)
        self.gradient = torch.zeros_like(self.parameters)
        self._layers, self._gradients = (list(_views(v, sizes)) for v in (self.parameters, self.gradient))
        for (weight, _), (m, n) in zip(self._layers, sizes):
            weight.copy_(torch.randn(m, n, generator=generator, device="cpu").t() / m**0.5)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (n, outputs) logits and what the last layer was given."""
        *hidden, (weight, bias) = self._layers
        for w, b in hidden:
            x = torch.addmm(b, x, w.t()).relu_()
        return torch.addmm(bias, x, weight.t()), x

    def backward(self, x: torch.Tensor, last: torch.Tensor, slope: torch.Tensor) -> None:
        """Fill the gradient, given the inputs, what the last layer was given, and the loss's slope at the logits."""
        weight, bias = self._gradients[-1]
        torch.mm(slope.t(), last, out=weight)
        torch.sum(slope, 0, out=bias)
        if len(self._layers) > 1:
            inner = torch.mm(slope, self._layers[-1][0]).mul_(last > 0)
            weight, bias = self._gradients[0]
            torch.mm(inner.t(), x, out=weight)
            torch.sum(inner, 0, out=bias)


class Predictor:
    """A trained student: (n, d) features to (n, n_classes) probabilities, without gradients, where it was trained."""

    def __init__(self, head: Head) -> None:
        self._head = head

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (n, n_classes) float32 probabilities of (n, d) features."""
        device = self._head.parameters.device
        with usual_settings(device):
            features = torch.as_tensor(x, dtype=torch.float32, device=device)
            return self._head.forward(features)[0].softmax(1)


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
        """Train a head with AdamW, the learning rate falling linearly to 0; torch's settings are the usual ones meanwhile.

        Args:
            x: (n, d) features; their device is where the head is trained, and the rest is moved there.
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
        if not (lr >= 0 and weight_decay >= 0):
            raise ValueError(f"lr and weight_decay must be at least 0, got {lr} and {weight_decay}")
        with usual_settings(device := getattr(x, "device", "cpu")):
            x = torch.as_tensor(x, dtype=torch.float32, device=device).detach()
            soft = self.distributions(torch.as_tensor(targets, device=x.device).detach(), len(x))
            weights = None if weights is None else torch.as_tensor(weights, dtype=torch.float32, device=x.device).detach()
            if weights is not None and weights.shape != (len(x),):
                raise ValueError(f"weights have shape {tuple(weights.shape)}, expected ({len(x)},)")
            self._fits += 1
            generator = torch.Generator("cpu").manual_seed((self._seed * 1_000_003 + self._fits) % 2**63)
            head = Head(x.shape[1], hidden, self._classes, generator, x.device)
            descend, steps = _descent(head, weight_decay), epochs * -(-len(x) // batch)
            for step, (rows, goal, part) in enumerate(_batches((x, soft, weights), epochs, batch, generator)):
                logits, last = head.forward(rows)
                head.backward(rows, last, _slope(loss, logits, goal, part, step))
                descend(lr * (1 - step / steps))
        return Predictor(head)

    def distributions(self, targets: torch.Tensor, n: int) -> torch.Tensor:
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


def _descent(head: Head, weight_decay: float) -> Callable[[float], None]:
    """Return what makes one step of AdamW (Loshchilov and Hutter 2019) on a head, given the learning rate.

    The optimizer's function, not its object: for so few parameters the object's bookkeeping takes longer than the step.
    """
    mean, square = torch.zeros_like(head.parameters), torch.zeros_like(head.parameters)
    count = torch.zeros((), device=head.parameters.device)

    def step(lr: float) -> None:
        adamw(
            [head.parameters], [head.gradient], [mean], [square], [], [count], fused=True, amsgrad=False,
            beta1=0.9, beta2=0.999, lr=lr, weight_decay=weight_decay, eps=1e-8, maximize=False,
        )  # fmt: skip

    return step


def _slope(
    loss: Loss | None, logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None, step: int
) -> torch.Tensor:
    """Return the loss's gradient at the logits, (b, n_classes); the default is the weighted mean of soft cross-entropy."""
    if loss is not None:
        with torch.enable_grad():
            logits.requires_grad_()
            (slope,) = torch.autograd.grad(loss(logits, targets, weights, step), logits)
        return slope
    difference = logits.softmax(1).mul_(targets.sum(1, keepdim=True)).sub_(targets)
    if weights is None:
        return difference.div_(len(logits))
    return difference.mul_((weights / weights.sum().clamp_min(1e-8))[:, None])


def _batches(
    arrays: tuple[torch.Tensor, torch.Tensor, torch.Tensor | None], epochs: int, batch: int, generator: torch.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]]:
    """Yield the minibatches of every epoch, each epoch in a new order, the same one on every device."""
    x, targets, weights = arrays
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator, device="cpu").to(x.device)
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            yield x.index_select(0, rows), targets.index_select(0, rows), None if weights is None else weights[rows]


def _views(vector: torch.Tensor, sizes: list[tuple[int, int]]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield each layer's weight and bias as views of one vector."""
    start = 0
    for m, n in sizes:
        weight, bias = vector[start : start + m * n].view(n, m), vector[start + m * n : start + m * n + n]
        start += m * n + n
        yield weight, bias
