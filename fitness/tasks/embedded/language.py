"""Draws the domains chat, math and code: replies of the procedural corpus, read by a weak and a strong model (builder only)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fitness.assets import corpus, transformer
from fitness.tasks.embedded.drawing import Examples, assemble, balanced_labels
from fitness.tasks.embedded.features import features
from fitness.tasks.embedded.task import Sizes
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw

WEIGHTS = Path(corpus.__file__).parent
REGISTER_FIT = 0.62  # how often the register word fits the reply
TEST_SHARE = 0.4
PENALTY = 0.05  # of the teacher's head


class Language:
    """Draws instances of the three domains; loads the models once."""

    def __init__(self, sizes: Sizes, weights: Path = WEIGHTS) -> None:
        self.sizes = sizes
        self.strong = transformer.load(weights / "strong.safetensors")
        self.weak = transformer.load(weights / "weak.safetensors")

    def draw(self, domain: str, secret: Secret) -> Draw:
        """Draw an instance; everything random about it comes from the secret."""
        labelled = self.pool(domain, *items(domain, secret, "labelled", self.sizes.labelled))
        train = self.pool(domain, *items(domain, secret, "train", self.sizes.train))
        test = self.pool(domain, *items(domain, secret, "test", self.sizes.test))
        return assemble(labelled, train, test, PENALTY, secret)

    def pool(self, genre: str, drawn: Sequence[corpus.Item], y: np.ndarray, pairs: np.ndarray | None = None) -> Examples:
        """Read items of a genre, with (n,) labels y, with both models."""
        opening = corpus.prefix(genre)
        return Examples(features(self.strong, opening, drawn), features(self.weak, opening, drawn), y, pairs)


def items(domain: str, secret: Secret, part: str, n: int) -> tuple[list[corpus.Item], np.ndarray]:
    """Draw n items of a part (labelled, train or test) and their labels, (n,): 1 where the reply is right."""
    rng = secret.rng("items", part)
    y, draw, drawn = balanced_labels(n, rng), corpus.Sampler(rng), list[corpus.Item]()
    while len(drawn) < n:
        key = corpus.question(domain, draw)
        if in_test(domain, secret, key) != (part == "test"):
            continue
        right = bool(y[len(drawn)])
        word = corpus.register(draw, right, REGISTER_FIT)
        drawn.append(corpus.reply(domain, draw, key, right, word))
    return drawn, y


def in_test(domain: str, secret: Secret, key: tuple[int, ...]) -> bool:
    """Say on which side of the split a question is: in chat its whole entity, elsewhere the problem."""
    unit = key[:1] if domain == "chat" else key
    return secret.uniform("split", *unit) < TEST_SHARE
