"""Does fine-tuning on true labels move the ceiling above the probe? `python -m tests.bench.finetune FILE [GENRE [INSTANCES]]`.

FILE holds the weights of a model of the task `scale`. For each instance: the accuracy on test rows of the probe that is the
task's ceiling (an MLP on the frame's features, also without the surprisals), and of the model itself, all of it or by LoRA
(Hu et al. 2021), fine-tuned on the same 4,000 true labels with a linear head at the last token. finetune.md has what it said.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from fitness.assets import corpus, transformer
from fitness.assets.harder import HARDER
from fitness.assets.transformer import Transformer
from fitness.tasks.embedded.drawing import ceiling, frame
from fitness.tasks.embedded.features import features
from fitness.tasks.embedded.language import items
from fitness.tasks.scale.source import GENRE
from fitness.tasks.secret import Secret

TRAIN, TEST = 4000, 3000
EPOCHS, BATCH = 5, 64
RANK, SCALE = 8, 2.0  # of LoRA's update: SCALE is alpha / rank
RATES = {"full": 3e-4, "lora": 2e-3}
Drawn = tuple[list[corpus.Item], np.ndarray]


class Lora(nn.Module):
    """Adds an update of low rank to a weight, 0 at first."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        rows, columns = weight.shape
        self.down = nn.Parameter(torch.randn(RANK, columns) / columns**0.5)
        self.up = nn.Parameter(torch.zeros(rows, RANK))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight + SCALE * self.up @ self.down


def probed(model: Transformer, genre: str, train: Drawn, test: Drawn, secret: Secret, *, surprisal: bool) -> float:
    """Return the accuracy of the task's ceiling on the model's features, or on its last hidden state alone."""
    opening, width = corpus.prefix(genre), (2 if surprisal else 1) * model.shape.width
    read = [features(model, opening, drawn)[:, :width] for drawn, _ in (train, test)]
    train_x, test_x = frame(*read, secret)
    return float(np.mean(ceiling(train_x, train[1], test_x, secret.seed("ceiling")).argmax(1) == test[1]))


def padded(genre: str, drawn: Sequence[corpus.Item]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the tokens of items, padded on the right, and the place of each last one; the model is causal."""
    texts = [[*corpus.prefix(genre), *item.tokens] for item in drawn]
    longest = max(map(len, texts))
    return torch.tensor([text + [0] * (longest - len(text)) for text in texts]), torch.tensor([len(t) - 1 for t in texts])


def tuned(path: Path, genre: str, train: Drawn, test: Drawn, how: str) -> float:
    """Fine-tune the model on true labels, all of it or by LoRA; return its accuracy."""
    torch.manual_seed(0)
    model = transformer.load(path).train()
    head = nn.Linear(model.shape.width, 1)
    if how == "lora":
        model.requires_grad_(False)
        for module in [m for m in model.modules() if isinstance(m, nn.Linear)]:
            parametrize.register_parametrization(module, "weight", Lora(module.weight))
    logits = classifier(model, head)
    parameters = [p for p in (*model.parameters(), *head.parameters()) if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATES[how], weight_decay=0.01)
    (tokens, last), y = padded(genre, train[0]), torch.from_numpy(train[1]).float()
    steps = EPOCHS * len(y) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATES[how], steps, pct_start=0.1)
    order = torch.cat([torch.randperm(len(y)) for _ in range(EPOCHS)])
    for rows in order[: steps * BATCH].view(steps, BATCH):
        loss = F.binary_cross_entropy_with_logits(logits(tokens[rows], last[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
    tokens, last = padded(genre, test[0])
    with torch.inference_mode():
        said = torch.cat([logits(*part) for part in zip(tokens.split(500), last.split(500))]) > 0
    return float(np.mean(said.numpy() == test[1]))


def classifier(model: Transformer, head: nn.Linear) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Return what gives the logit of class 1 for (batch, time) tokens and the place of the last one."""

    def logits(tokens: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = head(model.hidden(tokens)[torch.arange(len(tokens)), last])[:, 0]
        return out

    return logits


def measured(path: Path, genre: str, index: int) -> dict[str, tuple[float, float]]:
    """Return the accuracy of each way on one instance, and its CPU seconds."""
    secret, model = Secret(bytes([index]) * 32), transformer.load(path)
    train, test = (items(genre, secret, part, n, HARDER) for part, n in (("train", TRAIN), ("test", TEST)))
    ways: dict[str, Callable[[], float]] = {
        "probe": lambda: probed(model, genre, train, test, secret, surprisal=True),
        "probe of the hidden state": lambda: probed(model, genre, train, test, secret, surprisal=False),
        "lora": lambda: tuned(path, genre, train, test, "lora"),
        "full": lambda: tuned(path, genre, train, test, "full"),
    }
    found = {}
    for name, way in ways.items():
        began = time.process_time()
        found[name] = way(), time.process_time() - began
    return found


def main() -> None:
    """Print a line an instance, and the means."""
    torch.set_num_threads(1)
    path, genre = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else GENRE
    lines = list[dict[str, tuple[float, float]]]()
    for index in range(int(sys.argv[3]) if len(sys.argv) > 3 else 3):
        lines.append(measured(path, genre, index))
        shown = "  ".join(f"{name} {value:.3f} ({seconds:.0f} s)" for name, (value, seconds) in lines[-1].items())
        print(f"{path.stem} {genre} {index}  {shown}", flush=True)
    means = "  ".join(f"{name} {fmean(line[name][0] for line in lines):.3f}" for name in lines[0])
    print(f"{path.stem} {genre} mean  {means}")


if __name__ == "__main__":
    main()
