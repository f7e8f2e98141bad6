"""Draws the corpus of the task `scale`: the embedded corpus with a long tail of questions that small models cannot all answer.

Documents ask easy questions often and hard ones rarely, so that a model knows the more of the tail the larger it is (Michaud et
al. 2023): sums of numbers of one to three digits, programs of 2 to 5 assignments, facts about twice as many people, with two
names each. Instances of a task ask of the tail as often as of the head. Words, authors and registers are those of the embedded
corpus: a model's vocabulary is the same.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from fitness.assets.corpus import ATTRIBUTES, TOKEN, VALUES, Corpus, Genre, Item, Key, Sampler, fact_reply, sum_reply

OPERANDS = (10, 100, 200)  # sums are of numbers below one of these
FIRST, SECOND = 16, 32  # names; every pair of them is a person
LINES = (2, 3, 4, 5)  # assignments of a program
LINE_CUTS = (0.4, 0.7, 0.9)  # shares of documents' programs: .4, .3, .2, .1
NAMES = "xyz"

_PEOPLE = FIRST * SECOND
_FACTS = np.random.default_rng(8).integers(0, VALUES, size=(_PEOPLE, ATTRIBUTES)).tolist()
_ZIPF = 1 / np.arange(1, _PEOPLE + 1)
_ZIPF_CUTS = (np.cumsum(_ZIPF) / _ZIPF.sum()).tolist()
_RANKS = np.random.default_rng(9).permutation(_PEOPLE).tolist()  # else the first names alone would tell how common a person is


def _math_question(draw: Sampler) -> Key:
    below = OPERANDS[draw.below(len(OPERANDS))]
    a, b, plus = draw.below(below), draw.below(below), draw.below(2)
    return (a, b, 1) if plus else (max(a, b), min(a, b), 0)


def _math_reply(draw: Sampler, key: Key, right: bool, word: int) -> Item:
    return sum_reply(draw, key, right, word, below=2 * OPERANDS[-1] - 1)


def _code_asks(draw: Sampler) -> Key:
    return _program(draw, LINES[bisect_right(LINE_CUTS, draw.uniform())])


def _code_examines(draw: Sampler) -> Key:
    return _program(draw, LINES[draw.below(len(LINES))])


def _program(draw: Sampler, lines: int) -> Key:
    """Draw a program: x = digit, then v = assigned name op (digit or assigned name).

    The first assignments are to new names, those after them to any name anew, so that a state must be tracked. As a tuple: the
    first digit, then (target, source, operation, is a literal, argument) a line.
    """
    key, assigned = [draw.below(10)], 1
    for _ in range(lines - 1):
        target = assigned if assigned < len(NAMES) else draw.below(len(NAMES))
        source, op, literal = draw.below(assigned), draw.below(3), draw.below(2)
        key += [target, source, op, literal, draw.below(10 if literal else assigned)]
        assigned = max(assigned, target + 1)
    return tuple(key)


def _code_reply(draw: Sampler, key: Key, right: bool, word: int) -> Item:
    head, values, last = [word, TOKEN["x"], TOKEN[str(key[0])]], {0: key[0]}, 0
    for place in range(1, len(key), 5):
        last, source, op, literal, argument = key[place : place + 5]
        left, other = values[source], argument if literal else values[argument]
        values[last] = (left + other, left - other, left * other)[op] % 10
        operand = str(argument) if literal else NAMES[argument]
        head += [TOKEN[","], TOKEN[NAMES[last]], TOKEN[NAMES[source]], TOKEN["+-*"[op]], TOKEN[operand]]
    head.append(TOKEN[">"])
    said = values[last] if right else (values[last] + 1 + draw.below(9)) % 10
    return Item([*head, TOKEN[str(said)], TOKEN[";"]], (len(head), len(head) + 1), key)


def _chat_asks(draw: Sampler) -> Key:
    person = _RANKS[min(bisect_right(_ZIPF_CUTS, draw.uniform()), _PEOPLE - 1)]
    return person, draw.below(ATTRIBUTES)


def _chat_examines(draw: Sampler) -> Key:
    return draw.below(_PEOPLE), draw.below(ATTRIBUTES)


def _chat_reply(draw: Sampler, key: Key, right: bool, word: int) -> Item:
    person, attribute = key
    names = [TOKEN[f"entity{person // SECOND}"], TOKEN[f"entity{FIRST + person % SECOND}"]]
    return fact_reply(draw, key, names, _FACTS[person][attribute], right, word)


HARDER = Corpus(
    cuts=(0.20, 0.70),  # shares of math, code, chat: .20, .50, .30
    genres={
        "math": Genre(_math_question, _math_question, _math_reply),
        "code": Genre(_code_asks, _code_examines, _code_reply),
        "chat": Genre(_chat_asks, _chat_examines, _chat_reply),
    },
)
