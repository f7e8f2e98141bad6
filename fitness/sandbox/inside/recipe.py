"""Says how a language model is fine-tuned: AAR's recipe, and in what ours deviates from it. Needs no torch.

Loaded inside the sandbox, by the builder, and by whoever works out what a fine-tune takes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DEVIATIONS = (
    "Adam keeps its moments in 32 bits, not in 8",
    "the loss is on the label's token alone: AAR's code adds the token that ends the text",
    "training checkpoints activations block by block with PyTorch, without Unsloth's kernels",
    "chat prompts that are too long are cut before the word Label, where AAR's code leaves the rows out",
)
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class LoraRecipe:
    """How an adapter is trained. The defaults are AAR's.

    Attributes:
        rank, alpha: of LoRA; the update is scaled by alpha / sqrt(rank) (rsLoRA, Kalajdzievski 2023, arXiv 2312.03732).
        lr: the highest learning rate; it rises over the share `warmup` of the steps and then falls linearly to 0.
        betas: Adam's.
        batch, epochs: prompts in a step; passes over all, each in a new order.
    """

    rank: int = 32
    alpha: int = 32
    lr: float = 1e-4
    warmup: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    batch: int = 32
    epochs: int = 5

    @property
    def scale(self) -> float:
        """What the update is multiplied by."""
        return self.alpha / math.sqrt(self.rank)

    def share(self, step: int, steps: int) -> float:
        """Return the share of the learning rate that a step of `steps` has."""
        rise = max(1, round(self.warmup * steps))
        return (step + 1) / rise if step < rise else (steps - step) / max(1, steps - rise)


AAR = LoraRecipe()
