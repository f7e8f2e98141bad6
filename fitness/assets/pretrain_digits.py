"""Trains the digits' encoder without labels: `python -m fitness.assets.pretrain_digits` (SimCLR, Chen et al. 2020)."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from fitness.assets import digits

STEPS, PAIRS, LEARNING_RATE, TEMPERATURE, SEED = 1500, 256, 2e-3, 0.2, 0


def contrast(z: torch.Tensor) -> torch.Tensor:
    """Return the NT-Xent loss of (2 * pairs, d) projections, row i and row i + pairs being two views of one image."""
    z = F.normalize(z, dim=1)
    similarity = (z @ z.T / TEMPERATURE).fill_diagonal_(float("-inf"))
    return F.cross_entropy(similarity, torch.arange(len(z)).roll(len(z) // 2))


def train() -> tuple[nn.Sequential, float]:
    """Train for STEPS steps; return the encoder and the mean loss of the last hundred."""
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    pixels, _ = digits.images()
    encoder, projection = digits.encoder(), nn.Sequential(nn.ReLU(), nn.Linear(digits.WIDTH, digits.WIDTH))
    optimizer = torch.optim.AdamW([*encoder.parameters(), *projection.parameters()], lr=LEARNING_RATE)
    losses = []
    for _ in range(STEPS):
        rows = rng.choice(len(pixels), PAIRS, replace=False)
        views = digits.augment(np.concatenate([pixels[rows], pixels[rows]]), rng)
        loss = contrast(projection(encoder(torch.from_numpy(views).flatten(1))))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    return encoder, float(np.mean(losses[-100:]))


def main() -> None:
    """Train and save beside this file, or in the folder that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where the weights go")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    began = time.process_time()
    encoder, loss = train()
    save_file({key: value.contiguous() for key, value in encoder.state_dict().items()}, folder / "digits.safetensors")
    parameters = sum(p.numel() for p in encoder.parameters())
    seconds = round(time.process_time() - began, 1)
    print(json.dumps({"model": "digits", "parameters": parameters, "cpu_seconds": seconds, "loss": round(loss, 4)}))


if __name__ == "__main__":
    main()
