"""Attacks that read labels off a scorer's answers. Each starts from a random guess and returns its best guess, (n,) booleans.

All but `halving`, which subtracts answers, and `boundary`, which needs answers that fall too, ask nothing more of a scorer than
that it tells when an answer rises.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

Ask = Callable[[np.ndarray], float]
Attack = Callable[[Ask, int, int, np.random.Generator], np.ndarray]  # ask, rows, queries, rng


def one_flip(ask: Ask, n: int, queries: int, rng: np.random.Generator) -> np.ndarray:
    """Flip one row after the other; keep what raises the answer. Of exact answers each tells one label."""
    guess = rng.random(n) < 0.5
    best = ask(guess)
    for row in range(min(n, queries - 1)):
        best = _try(ask, guess, np.array([row]), best)
    return guess


def blocks(ask: Ask, n: int, queries: int, rng: np.random.Generator, size: int = 10) -> np.ndarray:
    """Flip random blocks of rows; keep what raises the answer."""
    guess = rng.random(n) < 0.5
    best = ask(guess)
    for _ in range(queries - 1):
        best = _try(ask, guess, rng.choice(n, size, replace=False, shuffle=False), best)
    return guess


def halving(ask: Ask, n: int, queries: int, rng: np.random.Generator) -> np.ndarray:
    """Flip the first half of a part; by subtraction that tells the second half's gain too. A part all one way is known."""
    guess = rng.random(n) < 0.5
    base, asked = ask(guess), 1
    parts = deque([(np.arange(n), round(n * (1 - 2 * base)))])  # rows, and how many answers flipping them all would gain
    while parts:
        rows, gain = parts.popleft()
        if gain >= len(rows):
            guess[rows] ^= True
            base += gain / n
        if abs(gain) >= len(rows) or len(rows) == 1 or asked == queries:
            continue
        first, second = np.array_split(rows, 2)
        guess[first] ^= True
        answer, asked = ask(guess), asked + 1
        gained = round(n * (answer - base))
        if gained > 0:
            base = answer
        else:
            guess[first] ^= True
        parts += [(first, -abs(gained)), (second, gain - gained)]
    return guess


def halving_climb(ask: Ask, n: int, queries: int, rng: np.random.Generator) -> np.ndarray:
    """Flip everything, halves, quarters and so on; keep what raises the answer. Halving for scorers that tell rises only."""
    guess = rng.random(n) < 0.5
    best, asked, parts = ask(guess), 1, deque([np.arange(n)])
    while parts and asked < queries:
        rows = parts.popleft()
        best, asked = _try(ask, guess, rows, best), asked + 1
        parts += np.array_split(rows, 2) if len(rows) > 1 else []
    return guess


def boundary(ask: Ask, n: int, queries: int, rng: np.random.Generator) -> np.ndarray:
    """Walk to where one more right answer changes a rounded score, stay there, and ask about one row after the other.

    Of a score on a fixed grid that may fall again, this tells one label a query, however coarse the grid is.
    """
    guess, asked = rng.random(n) < 0.5, 1
    before = ask(guess)
    while asked < queries:
        rows = rng.permutation(n)[: n // 3]
        guess[rows] ^= True
        after, asked = ask(guess), asked + 1
        if after != before:
            break
    else:
        return guess
    low, high = 0, len(rows)  # of the flipped rows: with so many the score is as before, or as after
    guess[rows] ^= True
    while high - low > 1 and asked < queries:
        middle = (low + high) // 2
        guess[rows[:middle]] ^= True
        low, high = (middle, high) if ask(guess) == before else (low, middle)
        guess[rows[:middle]] ^= True
        asked += 1
    guess[rows[: low if before < after else high]] ^= True
    edge, here = min(before, after), guess.copy()
    for row in range(n):
        if asked == queries:
            break
        here[row] ^= True
        if ask(here) > edge:
            guess[row] ^= True
        here[row] ^= True
        asked += 1
    return guess


def boosting(ask: Ask, n: int, queries: int, rng: np.random.Generator) -> np.ndarray:
    """Ask about random guesses, and let those that are better than chance vote (the boosting attack of Blum & Hardt 2015).

    A Ladder repeats its best answer, so an answer is taken to be about the guess only when it differs from the one before.
    """
    guesses = rng.random((queries, n)) < 0.5
    answers = np.array([ask(guess) for guess in guesses])
    good = (answers >= 0.5) & (np.diff(answers, prepend=0) != 0)
    return guesses[good].mean(0) > 0.5


def _try(ask: Ask, guess: np.ndarray, rows: np.ndarray, best: float) -> float:
    """Flip rows of the guess in place, and back unless the answer rises above the best; return the best answer now."""
    guess[rows] ^= True
    answer = ask(guess)
    if answer > best:
        return answer
    guess[rows] ^= True
    return best
