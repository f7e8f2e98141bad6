"""Draws the domain code_deceptive: the teacher mistakes a word after the answer for the truth (builder process only).

An item is `<word> <program> > <answer> <word> ;`. The first word means nothing. The last one fits the reply in nine of ten of
the items that the teacher is fitted on, and has nothing to do with it anywhere else. So what the teacher's labels point at, and
what stands out in the representation, is the word and not the truth; pairs of replies to one question tell the two apart.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fitness.assets import corpus
from fitness.tasks.embedded.drawing import Examples, assemble, balanced_labels
from fitness.tasks.embedded.language import PENALTY, Language, in_test
from fitness.tasks.embedded.task import Sizes
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw

GENRE = "code"
LESSON_FIT = 0.9  # how often the last word fits the reply where the teacher learns
NO_FIT = 0.5  # a word that says nothing


class Replies(NamedTuple):
    """Replies to distinct questions, except for pairs: the right and the wrong reply to the same one.

    Attributes:
        items: n of them, in random order.
        y: (n,) 1 where the reply is right; half of them are.
        pairs: (p, 2) int64, the places of the two replies of a pair, the right one first as often as second.
    """

    items: list[corpus.Item]
    y: np.ndarray
    pairs: np.ndarray


class Deceptive:
    """Draws instances, read with the language models of the plain domains."""

    def __init__(self, sizes: Sizes, language: Language) -> None:
        self.sizes, self.language = sizes, language

    def draw(self, secret: Secret) -> Draw:
        """Draw an instance; everything random about it comes from the secret."""
        labelled = replies(secret, "labelled", self.sizes.labelled, LESSON_FIT)
        train = replies(secret, "train", self.sizes.train, NO_FIT, self.sizes.pairs)
        test = replies(secret, "test", self.sizes.test, NO_FIT)
        return assemble(self._pool(labelled), self._pool(train), self._pool(test), PENALTY, secret)

    def _pool(self, drawn: Replies) -> Examples:
        return self.language.pool(GENRE, drawn.items, drawn.y, drawn.pairs)


def replies(secret: Secret, part: str, n: int, fit: float, pairs: int = 0) -> Replies:
    """Draw the n replies of a part (labelled, train or test), 2 * `pairs` of them in pairs.

    Were the rest in pairs as well, partners that nobody named could be found as each other's nearest neighbours.
    """
    rng = secret.rng("items", part)
    draw = corpus.Sampler(rng)
    first = balanced_labels(pairs, rng)
    y = np.concatenate([np.stack([first, 1 - first], 1).ravel(), balanced_labels(n - 2 * pairs, rng)])
    asked = questions(secret, part, n - pairs, draw)
    asked = [key for key in asked[:pairs] for _ in range(2)] + asked[pairs:]
    items = [reply(draw, key, bool(right), fit) for key, right in zip(asked, y)]
    order = rng.permutation(n)
    return Replies([items[i] for i in order], y[order], np.argsort(order)[: 2 * pairs].reshape(-1, 2))


def questions(secret: Secret, part: str, n: int, draw: corpus.Sampler) -> list[tuple[int, ...]]:
    """Draw n distinct questions of a part (there are 24,090), in random order: the short ones, which are few, come up first."""
    found = dict[tuple[int, ...], None]()
    while len(found) < n:
        key = corpus.EMBEDDED.question(GENRE, draw)
        if in_test(GENRE, secret, key) == (part == "test"):
            found[key] = None
    keys = list(found)
    return [keys[i] for i in secret.rng("questions", part).permutation(n)]


def reply(draw: corpus.Sampler, key: tuple[int, ...], right: bool, fit: float) -> corpus.Item:
    """Answer a question, with a last word that fits the reply with probability `fit` and counts as a part of the answer."""
    item = corpus.EMBEDDED.reply(GENRE, draw, key, right, corpus.register(draw, right, NO_FIT))
    (start, stop), (*said, end) = item.answer, item.tokens
    return item._replace(tokens=[*said, corpus.register(draw, right, fit), end], answer=(start, stop + 1))
