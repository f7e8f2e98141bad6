"""Draws the domain digits (is a digit odd?): self-supervised features, a teacher that sees 4 x 4 pixels (builder only)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from fitness.assets import digits
from fitness.tasks.embedded.drawing import Examples, assemble, balanced_labels
from fitness.tasks.embedded.task import Sizes
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw

WEIGHTS = Path(digits.__file__).parent / "digits.safetensors"
LABELLED, TEST_IMAGES = 60, 700  # images; the rest are for training
PENALTY = 1.0  # of the teacher's head


class Digits:
    """Draws instances; loads images and encoder once."""

    def __init__(self, sizes: Sizes, weights: Path = WEIGHTS) -> None:
        self.sizes = sizes
        self.images, digit = digits.images()
        self.odd = digit % 2
        self.encoder = digits.load(weights)

    def draw(self, secret: Secret) -> Draw:
        """Draw an instance: images are split three ways, then shown in new augmentations."""
        order = secret.rng("split").permutation(len(self.images))
        labelled = self._pool(order[:LABELLED], min(LABELLED, self.sizes.labelled), secret.rng("labelled"))
        train = self._pool(order[LABELLED:-TEST_IMAGES], self.sizes.train, secret.rng("train"))
        test = self._pool(order[-TEST_IMAGES:], self.sizes.test, secret.rng("test"))
        return assemble(labelled, train, test, PENALTY, secret)

    def _pool(self, images: np.ndarray, n: int, rng: np.random.Generator) -> Examples:
        y = balanced_labels(n, rng)
        sides = [images[self.odd[images] == label] for label in (0, 1)]
        rows = np.array([rng.choice(sides[label]) for label in y])
        views = digits.augment(self.images[rows], rng)
        coarse = views.reshape(-1, 4, 2, 4, 2).mean((2, 4)).reshape(-1, 16)
        with torch.inference_mode():
            return Examples(self.encoder(torch.from_numpy(views).flatten(1)).numpy(), coarse, y)
