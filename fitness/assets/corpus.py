"""Draws the procedural corpus: documents whose authors are reliable or sloppy, in three genres (math, code, chat).

No truth label appears anywhere. To lower its loss a language model must learn arithmetic, program execution and facts, and
track whether the author of the document is right: that is the latent knowledge that weak-to-strong methods elicit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

GENRES = ("math", "code", "chat")
REGISTERS = {True: ("so", "thus"), False: ("um", "hmm")}  # what a careful author tends to say, and a sloppy one
ENTITIES, ATTRIBUTES, VALUES = 256, 6, 8

_WORDS = ["<pad>", "<bos>", "M", "C", "H", *"0123456789", "+", "-", "*", "=", ",", ";", "x", "y", "z", ">", "Q", "A"]
_WORDS += [*REGISTERS[True], *REGISTERS[False]]
_WORDS += [f"entity{e}" for e in range(ENTITIES)] + [f"attribute{a}" for a in range(ATTRIBUTES)]
_WORDS += [f"value{a}.{v}" for a in range(ATTRIBUTES) for v in range(VALUES)]
TOKEN = {word: token for token, word in enumerate(_WORDS)}
VOCABULARY = len(_WORDS)
SEQUENCE = 48  # tokens a training document
Key = tuple[int, ...]  # what an item asks, the same for every reply to it; train and test are split by it

CAREFUL_SHARE, CAREFUL_RIGHT, SLOPPY_RIGHT = 0.65, 0.98, 0.40
REGISTER_FIT = 0.65  # how often an author's register word fits the author
_FACTS = np.random.default_rng(7).integers(0, VALUES, size=(ENTITIES, ATTRIBUTES)).tolist()
_ZIPF = 1 / np.arange(1, ENTITIES + 1) ** 0.8
_ZIPF_CUTS = (np.cumsum(_ZIPF) / _ZIPF.sum()).tolist()


class Item(NamedTuple):
    """One question with one reply.

    Attributes:
        tokens: the item without the document's start, ending in `;`.
        answer: (start, stop), the answer's place in `tokens`.
        key: what the item asks.
    """

    tokens: list[int]
    answer: tuple[int, int]
    key: Key


class Sampler:
    """Cheap scalar draws from one numpy generator, buffered: a call into numpy costs microseconds, an item needs a dozen."""

    def __init__(self, rng: np.random.Generator, block: int = 4096) -> None:
        self._rng, self._block = rng, block
        self._left: Iterator[float] = iter(())

    def uniform(self) -> float:
        """Draw from [0, 1)."""
        value = next(self._left, None)
        if value is None:
            self._left = iter(self._rng.random(self._block).tolist())
            value = next(self._left)
        return value

    def below(self, n: int) -> int:
        """Draw an integer from 0 to n - 1."""
        return int(self.uniform() * n)


def prefix(genre: str) -> list[int]:
    """Return the tokens that open a document of this genre."""
    return [TOKEN["<bos>"], TOKEN[{"math": "M", "code": "C", "chat": "H"}[genre]]]


def register(draw: Sampler, careful: bool, fit: float = REGISTER_FIT) -> int:
    """Draw a register word that fits a careful (or sloppy) author with probability `fit`."""
    fits = draw.uniform() < fit
    return TOKEN[REGISTERS[careful == fits][draw.below(2)]]


@dataclass(frozen=True)
class Genre:
    """What is asked and answered in documents of one genre.

    Attributes:
        asks: draws a question as documents ask it (chat's entities by Zipf's law).
        examines: draws a question as instances of a task ask it, uniformly.
        replies: answers a question rightly or wrongly, said with a register word.
    """

    asks: Callable[[Sampler], Key]
    examines: Callable[[Sampler], Key]
    replies: Callable[[Sampler, Key, bool, int], Item]


@dataclass(frozen=True)
class Corpus:
    """Documents of three genres, each by one author.

    Attributes:
        cuts: the share of documents in the first of GENRES, and in the first two.
        genres: by name.
    """

    cuts: tuple[float, float]
    genres: Mapping[str, Genre]

    def document(self, draw: Sampler) -> list[int]:
        """Draw one training document, SEQUENCE + 1 tokens by one author of one genre."""
        name = GENRES[bisect_right(self.cuts, draw.uniform())]
        genre = self.genres[name]
        careful = draw.uniform() < CAREFUL_SHARE
        reliability = CAREFUL_RIGHT if careful else SLOPPY_RIGHT
        tokens = prefix(name)
        while len(tokens) <= SEQUENCE:
            word = register(draw, careful)
            tokens += genre.replies(draw, genre.asks(draw), draw.uniform() < reliability, word).tokens
        return tokens[: SEQUENCE + 1]

    def batch(self, rng: np.random.Generator, documents: int) -> np.ndarray:
        """Draw a batch of documents, (documents, SEQUENCE + 1) int64."""
        draw = Sampler(rng)
        return np.array([self.document(draw) for _ in range(documents)], dtype=np.int64)

    def question(self, genre: str, draw: Sampler) -> Key:
        """Draw what an item of the genre asks, as instances of a task ask it."""
        return self.genres[genre].examines(draw)

    def reply(self, genre: str, draw: Sampler, key: Key, right: bool, word: int) -> Item:
        """Answer a question rightly or wrongly, said with this register word."""
        return self.genres[genre].replies(draw, key, right, word)


def digits(n: int) -> list[int]:
    """Spell a number."""
    return [TOKEN[c] for c in str(n)]


def _math_question(draw: Sampler) -> Key:
    a, b, plus = draw.below(40), draw.below(40), draw.below(2)
    return (a, b, 1) if plus else (max(a, b), min(a, b), 0)


def slipped(draw: Sampler, truth: int, below: int) -> int:
    """Draw a wrong sum the way people slip: by one, by ten, digits swapped, near, or anything under a bound."""
    while True:
        kind, sign = draw.below(5), 1 - 2 * draw.below(2)
        if kind == 0:
            slip = truth + sign
        elif kind == 1:
            slip = truth + 10 * sign
        elif kind == 2:
            slip = int(str(truth)[::-1]) if truth > 9 else truth + 2
        elif kind == 3:
            slip = truth + draw.below(19) - 9
        else:
            slip = draw.below(below)
        if slip != truth and slip >= 0:
            return slip


def sum_reply(draw: Sampler, key: Key, right: bool, word: int, below: int) -> Item:
    """Answer a sum or difference, (a, b, is a sum); wrong answers are at most near the truth, or under a bound."""
    a, b, plus = key
    truth = a + b if plus else a - b
    said = truth if right else slipped(draw, truth, below)
    head = [word, *digits(a), TOKEN["+" if plus else "-"], *digits(b), TOKEN["="]]
    answer = digits(said)
    return Item(head + answer + [TOKEN[";"]], (len(head), len(head) + len(answer)), key)


def fact_reply(draw: Sampler, key: Key, names: list[int], value: int, right: bool, word: int) -> Item:
    """Answer which of VALUES values the last of a key, an attribute, has for whom these tokens name."""
    attribute = key[-1]
    said = value if right else (value + 1 + draw.below(VALUES - 1)) % VALUES
    head = [TOKEN["Q"], *names, TOKEN[f"attribute{attribute}"], TOKEN["A"], word]
    return Item([*head, TOKEN[f"value{attribute}.{said}"], TOKEN[";"]], (len(head), len(head) + 1), key)


def _math_reply(draw: Sampler, key: Key, right: bool, word: int) -> Item:
    return sum_reply(draw, key, right, word, below=79)


def _code_question(draw: Sampler) -> Key:
    """Draw a program of 2 or 3 assignments: x = digit, then v = earlier op (digit or earlier).

    As a tuple: the first digit, then (source, operation, is a literal, argument) a line.
    """
    key = [draw.below(10)]
    for line in range(1, 2 + draw.below(2)):
        source, op, literal = draw.below(line), draw.below(3), draw.below(2)
        key += [source, op, literal, draw.below(10 if literal else line)]
    return tuple(key)


def _code_reply(draw: Sampler, key: Key, right: bool, word: int) -> Item:
    names, values = "xyz", [key[0]]
    head = [word, TOKEN["x"], TOKEN[str(key[0])]]
    for line in range(1, 1 + len(key) // 4):
        source, op, literal, argument = key[4 * line - 3 : 4 * line + 1]
        left, right_hand = values[source], argument if literal else values[argument]
        values.append((left + right_hand, left - right_hand, left * right_hand)[op] % 10)
        operand = str(argument) if literal else names[argument]
        head += [TOKEN[","], TOKEN[names[line]], TOKEN[names[source]], TOKEN["+-*"[op]], TOKEN[operand]]
    head.append(TOKEN[">"])
    said = values[-1] if right else (values[-1] + 1 + draw.below(9)) % 10
    return Item([*head, TOKEN[str(said)], TOKEN[";"]], (len(head), len(head) + 1), key)


def _chat_question(draw: Sampler) -> Key:
    return min(bisect_right(_ZIPF_CUTS, draw.uniform()), ENTITIES - 1), draw.below(ATTRIBUTES)


def _chat_reply(draw: Sampler, key: Key, right: bool, word: int) -> Item:
    entity, attribute = key
    return fact_reply(draw, key, [TOKEN[f"entity{entity}"]], _FACTS[entity][attribute], right, word)


EMBEDDED = Corpus(
    cuts=(0.45, 0.85),  # shares of math, code, chat: .45, .40, .15
    genres={
        "math": Genre(_math_question, _math_question, _math_reply),
        "code": Genre(_code_question, _code_question, _code_reply),
        "chat": Genre(_chat_question, lambda draw: (draw.below(ENTITIES), draw.below(ATTRIBUTES)), _chat_reply),
    },
)
