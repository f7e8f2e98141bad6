"""Draws replies of a procedural corpus, read by a weak and a strong model: the domains chat, math and code (builder only)."""

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
    """Draws instances of the three genres of a corpus; loads the models once.

    Attributes:
        strong, weak: the models, read from the files that are named.
        documents: the corpus that both were trained on.
    """

    def __init__(
        self,
        sizes: Sizes,
        strong: Path = WEIGHTS / "strong.safetensors",
        weak: Path = WEIGHTS / "weak.safetensors",
        documents: corpus.Corpus = corpus.EMBEDDED,
    ) -> None:
        self.sizes, self.documents = sizes, documents
        self.strong, self.weak = transformer.load(strong), transformer.load(weak)

    def draw(self, genre: str, secret: Secret) -> Draw:
        """Draw an instance; everything random about it comes from the secret."""
        counts = {"labelled": self.sizes.labelled, "train": self.sizes.train, "test": self.sizes.test}
        drawn = (self.pool(genre, *items(genre, secret, part, n, self.documents)) for part, n in counts.items())
        labelled, train, test = drawn
        return assemble(labelled, train, test, PENALTY, secret)

    def pool(self, genre: str, drawn: Sequence[corpus.Item], y: np.ndarray, pairs: np.ndarray | None = None) -> Examples:
        """Read items of a genre, with (n,) labels y, with both models."""
        opening = corpus.prefix(genre)
        return Examples(features(self.strong, opening, drawn), features(self.weak, opening, drawn), y, pairs)


def items(
    genre: str, secret: Secret, part: str, n: int, documents: corpus.Corpus = corpus.EMBEDDED
) -> tuple[list[corpus.Item], np.ndarray]:
    """Draw n items of a part (labelled, train or test) and their labels, (n,): 1 where the reply is right."""
    rng = secret.rng("items", part)
    y, draw, drawn = balanced_labels(n, rng), corpus.Sampler(rng), list[corpus.Item]()
    while len(drawn) < n:
        key = documents.question(genre, draw)
        if in_test(genre, secret, key) != (part == "test"):
            continue
        right = bool(y[len(drawn)])
        word = corpus.register(draw, right, REGISTER_FIT)
        drawn.append(documents.reply(genre, draw, key, right, word))
    return drawn, y


def in_test(genre: str, secret: Secret, key: tuple[int, ...]) -> bool:
    """Say on which side of the split a question is: in chat its whole entity, elsewhere the problem."""
    unit = key[:1] if genre == "chat" else key
    return secret.uniform("split", *unit) < TEST_SHARE
