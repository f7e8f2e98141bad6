"""Loads handwritten digits (scikit-learn's, Alpaydin & Kaynak 1998), augments them, and loads the encoder that reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

SIDE = 8  # pixels
WIDTH = 64  # features of the encoder
TURN, SCALE, SHIFT, NOISE = 0.3, (0.85, 1.2), 0.9, 0.08  # radians, factor, pixels, standard deviation


def images() -> tuple[np.ndarray, np.ndarray]:
    """Return all 1,797 images, (n, 8, 8) float32 in [0, 1], and their digits, (n,) int64."""
    pixels, digit = load_digits(return_X_y=True)
    return (pixels / 16).reshape(-1, SIDE, SIDE).astype(np.float32), digit.astype(np.int64)


def augment(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn, scale and shift each of (n, 8, 8) images and add noise, independently."""
    n = len(image)
    angle, scale = rng.uniform(-TURN, TURN, n), rng.uniform(*SCALE, n)
    shift = rng.uniform(-SHIFT, SHIFT, (n, 2)) * 2 / SIDE  # grid_sample's units: the image is 2 wide
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    matrix = np.stack([np.stack([cosine, -sine, shift[:, 0]], 1), np.stack([sine, cosine, shift[:, 1]], 1)], 1)
    grid = F.affine_grid(torch.from_numpy(matrix.astype(np.float32)), [n, 1, SIDE, SIDE], align_corners=False)
    moved = F.grid_sample(torch.from_numpy(image)[:, None], grid, align_corners=False)[:, 0].numpy()
    noisy: np.ndarray = np.clip(moved + NOISE * rng.standard_normal(moved.shape, dtype=np.float32), 0, 1)
    return noisy


def encoder() -> nn.Sequential:
    """Return an untrained encoder, (n, 64) pixels to (n, WIDTH) features."""
    return nn.Sequential(nn.Linear(SIDE * SIDE, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, WIDTH))


def load(path: Path) -> nn.Sequential:
    """Read an encoder written by pretrain_digits."""
    from safetensors.torch import load_file

    model = encoder()
    model.load_state_dict(load_file(path))
    return model.eval()
