"""Works out what the language-model task needs before anything is spent: memory, seconds, and what fits into GPU-hours.

2 FLOP a weight and token forward; 6 to train an adapter with checkpoints (forward, forward again, and back to the activations;
weights themselves have no gradient). FLOP a second were measured here with a model of the same size (rates.py), or are assumed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from fitness.registry import UsageError
from fitness.sandbox.inside.recipe import AAR
from fitness.tasks.lm import models, rates, results
from fitness.tasks.lm.models import ModelShape
from fitness.tasks.lm.rates import WORKS, Work
from fitness.tasks.lm.rows import ASK, Domain, domains_of, load

GIGA = 1e9
READ, TRAINED = 2, 6  # FLOP a weight and token
RATES = {"H200": 390e12, "H100": 390e12, "A100": 152e12}  # FLOP a second that bf16 sustains; by part of a GPU's name
USUAL, CARD = 65e12, 24e9  # of other GPUs, such as a card of 24 GB; its bytes
WEIGHT, LOGIT = 2, 4  # bytes
ADAPTED = 16  # bytes of a weight of an adapter: itself, its gradient and Adam's two moments, in 32 bits
LETTERS = 4  # of a token of English
PROBE = 6 * 64 * 8 / 10e9  # seconds of the default student for a row and a feature: 64 units, 8 epochs, 10 GFLOP a second


@dataclass(frozen=True)
class Accelerator:
    """A GPU as the arithmetic knows it.

    Attributes:
        name: what its maker calls it; `memory`: its bytes; `rate`: FLOP a second that training sustains.
    """

    name: str
    memory: float
    rate: float


@dataclass(frozen=True)
class Memory:
    """Bytes of a fine-tune: `weights` of the model, the `adapter` with its optimiser, `checkpoints`, `logits`."""

    weights: float
    adapter: float
    checkpoints: float
    logits: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.weights + self.adapter + self.checkpoints + self.logits


@dataclass(frozen=True)
class Rates:
    """FLOP a second on a device: `measured` here, by kind of work and model's size, or else assumed.

    Attributes:
        assumed: what stands for all that was not measured.
    """

    measured: Mapping[tuple[Work, int], float]
    assumed: float

    def seconds(self, work: Work, shape: ModelShape, flop: float) -> float:
        """Return how long so many FLOP take."""
        return flop / self.measured.get((work, shape.parameters), self.assumed)

    def works(self, shape: ModelShape) -> list[Work]:
        """Return the kinds of work that were measured with a model."""
        return [work for work in WORKS if (work, shape.parameters) in self.measured]

    def told(self, shape: ModelShape) -> str:
        """Say where the rates of a model come from."""
        found = self.works(shape)
        if len(found) == 1:
            return f"{found[0]} by a rate measured here, the rest by arithmetic"
        return "by rates measured here" if found else "by arithmetic"


def rates_of(name: str, gpu: Accelerator, *shapes: ModelShape) -> Rates:
    """Return the rates of a device for some models."""
    found = {(work, shape.parameters): rates.known(name, work, shape) for work in WORKS for shape in shapes}
    return Rates({key: rate for key, rate in found.items() if rate is not None}, gpu.rate)


def gpu_of(name: str, memory: float) -> Accelerator:
    """Return a GPU by what its driver says; "" for a card of 24 GB."""
    rate = next((rate for part, rate in RATES.items() if part in name), USUAL)
    return Accelerator(name, memory, rate) if name else Accelerator("a card of 24 GB", CARD, USUAL)


def adapter_weights(shape: ModelShape, rank: int = AAR.rank) -> int:
    """Return the weights of an adapter on the seven projections of each block."""
    return shape.layers * sum(rank * (m + n) for m, n in shape.projections)


def memory_of(shape: ModelShape, tokens: float, batch: int = AAR.batch, adapted: int = ADAPTED) -> Memory:
    """Return what a fine-tune holds: a checkpoint a block and token, and logits behind the last token of each prompt alone."""
    checkpoints = shape.layers * batch * tokens * shape.width * WEIGHT
    return Memory(shape.parameters * WEIGHT, adapter_weights(shape) * adapted, checkpoints, batch * shape.vocabulary * LOGIT)


def logits_everywhere(shape: ModelShape, tokens: float, batch: int = AAR.batch) -> float:
    """Return the bytes of logits behind every token, which nobody needs: their gradient takes as much again."""
    return batch * tokens * shape.vocabulary * LOGIT


def training(shape: ModelShape, rows: int, tokens: float, epochs: int = AAR.epochs) -> float:
    """Return the FLOP of a fine-tune on rows of a mean length."""
    return TRAINED * shape.parameters * rows * epochs * tokens


def reading(shape: ModelShape, rows: int, tokens: float, depth: float = 1.0) -> float:
    """Return the FLOP of reading rows once, up to a depth."""
    return READ * shape.parameters * rows * tokens * depth


@dataclass(frozen=True)
class GpuForecast:
    """What a run of the task takes.

    Attributes:
        gpu: on which; `how`: where its rates come from.
        memory: bytes of a fine-tune, of as many prompts at once as fit.
        features, teachers, ceilings: seconds of what is made once: all domains, and all teachers.
        probe, finetune: seconds of one method on one instance of the first domain.
        finetunes: how many fit into the hours after what is made once; None where no hours were given.
        batch: prompts that are trained on at once.
    """

    gpu: str
    how: str
    memory: float
    features: float
    teachers: float
    ceilings: float
    probe: float
    finetune: float
    finetunes: int | None
    batch: int

    @property
    def once(self) -> float:
        """Seconds of what is made once for all methods."""
        return self.features + self.teachers + self.ceilings

    @property
    def lines(self) -> list[str]:
        """It, as lines."""
        made = f"features {_span(self.features)}, teachers {_span(self.teachers)}, ceilings {_span(self.ceilings)}"
        each = f"a probe {_span(self.probe)} on one core, a fine-tune {_span(self.finetune)}"
        lines = [
            f"on {self.gpu}, {self.how}: {self.memory / GIGA:.1f} GB for a fine-tune, {self.batch} prompts at once",
            f"made once: {made}; each method and instance: {each}",
        ]
        if self.finetunes is not None:
            lines.append(f"GPU-hours: {self.finetunes:,} fine-tunes fit in after what is made once")
        return lines


def forecast(options: Mapping[str, Any], name: str, memory: float, hours: float | None) -> GpuForecast:
    """Return what a run takes on a GPU; `name` is "" for none. Raises UsageError, with what would fit, when it cannot be.

    Args:
        options: of the task.
        name: what the GPU's driver calls it.
        memory: its bytes.
        hours: GPU-hours that may be spent; None for no limit.
    """
    weak, strong = (models.known_shape(options[which]) for which in ("weak", "strong"))
    folder = Path(options["folder"])
    gpu, pace = _device(name, memory, weak, strong)
    found = {domain: load(folder / domain) for domain in domains_of(folder)}
    known = results.read(folder)
    unknown = [d for name, d in found.items() if not results.teachers(known, name, len(d.train))]
    seeds = options["seeds"]
    trained = [d for name, d in found.items() if results.ceiling(known, name) is None]
    if options["fidelity"] == "probe" or options["ceiling"]:
        trained = []
    read = sum(reading(strong, len(d.train) + len(d.test), _tokens(d), options["depth"]) for d in found.values())
    taught = sum(_teaching(weak, d, options) for d in unknown) * seeds
    ceiling = sum(_tuning(strong, d) for d in trained) * seeds
    first = next(iter(found.values()))
    tokens = _tokens(first)
    one = _tuning(strong, first)
    batch = _batch(strong, tokens, gpu)
    made = GpuForecast(
        gpu.name, pace.told(strong), memory_of(strong, tokens, batch).total, pace.seconds("reading", strong, read),
        pace.seconds("training", weak, taught), pace.seconds("training", strong, ceiling),
        PROBE * len(first.train) * strong.width, pace.seconds("training", strong, one), None, batch,
    )  # fmt: skip
    return made if hours is None else _within(made, hours)


def _device(name: str, memory: float, weak: ModelShape, strong: ModelShape) -> tuple[Accelerator, Rates]:
    """Return what a run is forecast for: a GPU, or the processor once both kinds of work were measured on it."""
    gpu = gpu_of(name, memory)
    if name:
        return gpu, rates_of(name, gpu, weak, strong)
    here = rates_of(rates.PROCESSOR, gpu, weak, strong)
    if len(here.works(strong)) == len(WORKS):
        return Accelerator(rates.PROCESSOR, math.inf, gpu.rate), here
    return gpu, Rates({}, gpu.rate)


def _within(made: GpuForecast, hours: float) -> GpuForecast:
    left = 3600 * hours - made.once
    if left < 0:
        need = f"what is made once takes {_span(made.once)} ({made.lines[1]})"
        fits = math.ceil(10 * (made.once + made.finetune) / 3600) / 10
        advice = f"give --gpu-hours {fits:g}, set seeds lower, or taught to probe"
        raise UsageError(f"--gpu-hours {hours:g} do not suffice on {made.gpu}: {need}: {advice}")
    return replace(made, finetunes=int(left / made.finetune))


def _batch(shape: ModelShape, tokens: float, gpu: Accelerator) -> int:
    """Return how many prompts fit at once, a power of two. Raises UsageError where not one does."""
    batch = AAR.batch
    while batch > 1 and memory_of(shape, tokens, batch).total > gpu.memory:
        batch //= 2
    if (need := memory_of(shape, tokens, batch).total) > gpu.memory:
        most = shape.parameters * gpu.memory / need
        said = f"a fine-tune needs {need / GIGA:.1f} GB and {gpu.name} has {gpu.memory / GIGA:.1f}"
        raise UsageError(f"{said}: name a strong model of at most {most / GIGA:.1f} billion weights")
    return batch


def _tuning(strong: ModelShape, domain: Domain) -> float:
    """Return the FLOP of a fine-tune on the training rows, and of its answers to the test rows."""
    tokens = _tokens(domain)
    return training(strong, len(domain.train), tokens) + reading(strong, len(domain.test), tokens)


def _teaching(weak: ModelShape, domain: Domain, options: Mapping[str, Any]) -> float:
    """Return the FLOP of teaching the weak model once, and of its answers."""
    tokens, others = _tokens(domain), len(domain.train) + len(domain.test)
    labelled = 0 if domain.labelled is None else len(domain.labelled)
    if options["taught"] == "probe":
        return reading(weak, labelled + others, tokens, options["depth"]) / int(options["seeds"])
    return training(weak, labelled, tokens) + reading(weak, others, tokens)


def _tokens(domain: Domain) -> float:
    """Return the tokens of a prompt in the mean."""
    return fmean(len(prompt + ASK) for prompt in domain.train.prompts) / LETTERS


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s" if seconds else "none"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
