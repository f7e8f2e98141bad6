"""Holds what a user says of the language-model task: which models, how the teacher is taught, how much a model reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from fitness.registry import UsageError
from fitness.tasks.data.task import DataOptions

Taught = Literal["finetune", "probe"]
Fidelity = Literal["probe", "finetune"]


@dataclass(frozen=True)
class LmOptions(DataOptions):
    """What a user says. Raises UsageError for what nobody could mean.

    Attributes:
        weak, strong: models of Hugging Face's cache by name, or folders that hold one.
        taught: how the weak model learns its labels: a fine-tune, as AAR does, or a logistic head on its features.
        seeds: how many teachers are taught; an instance has one of them, drawn.
        depth: which layer of a model features are taken from, as a share of all.
        tokens: of a prompt that a model is shown at most.
        fidelity: what problem.student trains: a head on features, or the strong model's adapter.
    """

    weak: str = "Qwen/Qwen1.5-0.5B-Chat"
    strong: str = "Qwen/Qwen3-4B-Base"
    taught: Taught = "finetune"
    seeds: int = 5
    depth: float = 0.55
    tokens: int = 8192
    fidelity: Fidelity = "probe"

    def __post_init__(self) -> None:
        """Raise UsageError."""
        super().__post_init__()
        for name, choices in (("taught", get_args(Taught)), ("fidelity", get_args(Fidelity))):
            if getattr(self, name) not in choices:
                raise UsageError(f"{name} is {getattr(self, name)!r:.80}: say one of {', '.join(choices)}")
        for name, least, most in (("seeds", 1, 100), ("tokens", 16, 1 << 17)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise UsageError(f"{name} is {value!r:.80}: it is a whole number from {least} to {most}")
        if not isinstance(self.depth, int | float) or not 0 < self.depth <= 1:
            raise UsageError(f"depth is {self.depth!r:.80}: it is a share of the layers, above 0 and up to 1")
        for name in ("weak", "strong"):
            if not isinstance(value := getattr(self, name), str) or not value:
                raise UsageError(f"{name} is {value!r:.80}: it is a model's name, or a folder that holds one")
