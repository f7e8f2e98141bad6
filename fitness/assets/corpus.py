"""Draws the procedural corpus: documents whose authors are reliable or sloppy, in three genres (math, code, chat).

No truth label appears anywhere. To lower its loss a language model must learn arithmetic, program execution and facts, and
track whether the author of the document is right: that is the latent knowledge that weak-to-strong methods elicit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
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

CAREFUL_SHARE, CAREFUL_RIGHT, SLOPPY_RIGHT = 0.65, 0.98, 0.40
REGISTER_FIT = 0.65  # how often an author's register word fits the author
_GENRE_CUTS = (0.45, 0.85)  # shares of math, code, chat: .45, .40, .15
_FACTS = np.random.default_rng(7).integers(0, VALUES, size=(ENTITIES, ATTRIBUTES)).tolist()
_ZIPF = 1 / np.arange(1, ENTITIES + 1) ** 0.8
_ZIPF_CUTS = (np.cumsum(_ZIPF) / _ZIPF.sum()).tolist()


class Item(NamedTuple):
    """One question with one reply.

    Attributes:
        tokens: the item without the document's start, ending in `;`.
        answer: (start, stop), the answer's place in `tokens`.
        key: what the item asks, the same for every reply to it; train and test are split by it.
    """

    tokens: list[int]
    answer: tuple[int, int]
    key: tuple[int, ...]


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


def document(draw: Sampler) -> list[int]:
    """Draw one training document, SEQUENCE + 1 tokens by one author of one genre."""
    genre = GENRES[bisect_right(_GENRE_CUTS, draw.uniform())]
    careful = draw.uniform() < CAREFUL_SHARE
    reliability = CAREFUL_RIGHT if careful else SLOPPY_RIGHT
    tokens = prefix(genre)
    while len(tokens) <= SEQUENCE:
        word = register(draw, careful)
        tokens += reply(genre, draw, _QUESTION[genre](draw), draw.uniform() < reliability, word).tokens
    return tokens[: SEQUENCE + 1]


def batch(rng: np.random.Generator, documents: int) -> np.ndarray:
    """Draw a batch of documents, (documents, SEQUENCE + 1) int64."""
    draw = Sampler(rng)
    return np.array([document(draw) for _ in range(documents)], dtype=np.int64)


def question(genre: str, draw: Sampler) -> tuple[int, ...]:
    """Draw what an item of the genre asks, uniformly (documents draw chat entities by Zipf's law instead)."""
    if genre == "chat":
        return draw.below(ENTITIES), draw.below(ATTRIBUTES)
    return _QUESTION[genre](draw)


def reply(genre: str, draw: Sampler, key: tuple[int, ...], right: bool, word: int) -> Item:
    """Answer a question rightly or wrongly, said with this register word."""
    return _REPLY[genre](draw, key, right, word)


def _digits(n: int) -> list[int]:
    return [TOKEN[c] for c in str(n)]


def _math_question(draw: Sampler) -> tuple[int, ...]:
    a, b, plus = draw.below(40), draw.below(40), draw.below(2)
    return (a, b, 1) if plus else (max(a, b), min(a, b), 0)


def _math_slip(draw: Sampler, truth: int) -> int:
    """Draw a wrong sum the way people slip: by one, by ten, digits swapped, near, or anything."""
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
            slip = draw.below(79)
        if slip != truth and slip >= 0:
            return slip


def _math_reply(draw: Sampler, key: tuple[int, ...], right: bool, word: int) -> Item:
    a, b, plus = key
    truth = a + b if plus else a - b
    said = truth if right else _math_slip(draw, truth)
    head = [word, *_digits(a), TOKEN["+" if plus else "-"], *_digits(b), TOKEN["="]]
    answer = _digits(said)
    return Item(head + answer + [TOKEN[";"]], (len(head), len(head) + len(answer)), key)


def _code_question(draw: Sampler) -> tuple[int, ...]:
    """Draw a program of 2 or 3 assignments: x = digit, then v = earlier op (digit or earlier).

    As a tuple: the first digit, then (source, operation, is a literal, argument) a line.
    """
    key = [draw.below(10)]
    for line in range(1, 2 + draw.below(2)):
        source, op, literal = draw.below(line), draw.below(3), draw.below(2)
        key += [source, op, literal, draw.below(10 if literal else line)]
    return tuple(key)


def _code_reply(draw: Sampler, key: tuple[int, ...], right: bool, word: int) -> Item:
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


def _chat_question(draw: Sampler) -> tuple[int, ...]:
    return min(bisect_right(_ZIPF_CUTS, draw.uniform()), ENTITIES - 1), draw.below(ATTRIBUTES)


def _chat_reply(draw: Sampler, key: tuple[int, ...], right: bool, word: int) -> Item:
    entity, attribute = key
    value = _FACTS[entity][attribute]
    said = value if right else (value + 1 + draw.below(VALUES - 1)) % VALUES
    head = [TOKEN["Q"], TOKEN[f"entity{entity}"], TOKEN[f"attribute{attribute}"], TOKEN["A"], word]
    return Item([*head, TOKEN[f"value{attribute}.{said}"], TOKEN[";"]], (len(head), len(head) + 1), key)


_QUESTION = {"math": _math_question, "code": _code_question, "chat": _chat_question}
_REPLY = {"math": _math_reply, "code": _code_reply, "chat": _chat_reply}
