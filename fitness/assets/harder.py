"""Draws the corpus of the task `scale`: the embedded corpus with questions that small models cannot all answer.

Sums of numbers of up to three digits; programs of 3 to 5 assignments in which names are assigned anew, so that a state must be
tracked; facts about people with a first and a second name, four times as many. Words, authors and registers are those of the
embedded corpus: a model's vocabulary is the same.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from fitness.assets.corpus import ATTRIBUTES, TOKEN, VALUES, Corpus, Genre, Item, Key, Sampler, fact_reply, sum_reply

OPERANDS = 200  # sums are of numbers below
FIRST, SECOND = 32, 32  # names; every pair of them is a person
LINES = (3, 5)  # assignments of a program, fewest and most
NAMES = "xyz"

_PEOPLE = FIRST * SECOND
_FACTS = np.random.default_rng(8).integers(0, VALUES, size=(_PEOPLE, ATTRIBUTES)).tolist()
_ZIPF = 1 / np.arange(1, _PEOPLE + 1) ** 0.8
_ZIPF_CUTS = (np.cumsum(_ZIPF) / _ZIPF.sum()).tolist()
_RANKS = np.random.default_rng(9).permutation(_PEOPLE).tolist()  # else the first names alone would tell how common a person is


def _math_question(draw: Sampler) -> Key:
    a, b, plus = draw.below(OPERANDS), draw.below(OPERANDS), draw.below(2)
    return (a, b, 1) if plus else (max(a, b), min(a, b), 0)


def _math_reply(draw: Sampler, key: Key, right: bool, word: int) -> Item:
    return sum_reply(draw, key, right, word, below=2 * OPERANDS - 1)


def _code_question(draw: Sampler) -> Key:
    """Draw a program: x = digit, then any name = assigned name op (digit or assigned name), 2 to 4 times.

    As a tuple: the first digit, then (target, source, operation, is a literal, argument) a line.
    """
    key, assigned = [draw.below(10)], [0]
    for _ in range(LINES[0] - 1 + draw.below(LINES[1] - LINES[0] + 1)):
        target, source = draw.below(len(NAMES)), assigned[draw.below(len(assigned))]
        op, literal = draw.below(3), draw.below(2)
        key += [target, source, op, literal, draw.below(10) if literal else assigned[draw.below(len(assigned))]]
        if target not in assigned:
            assigned.append(target)
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
    cuts=(0.30, 0.70),  # shares of math, code, chat: .30, .40, .30
    genres={
        "math": Genre(_math_question, _math_question, _math_reply),
        "code": Genre(_code_question, _code_question, _code_reply),
        "chat": Genre(_chat_asks, _chat_examines, _chat_reply),
    },
)
