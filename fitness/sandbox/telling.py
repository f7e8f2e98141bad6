"""Cuts what a failed method says down to what tells nothing of its instance: the words go on into prompts and the archive.

A method can put its data into an exception's words, and a language model that reads them would recognise the instance. So a
method that failed runs again on noise of the same shapes: words that it has for noise are no words about the instance. Where
the two runs fail differently, only the kind of exception, the line, and a string of its own source are told.
"""

from __future__ import annotations

import builtins
import re
from dataclasses import replace

import numpy as np

from fitness.contracts.contract import OFFSETS, PROBABILITIES, TEXT, Answer, Array, Arrays, Problem
from fitness.nouns import Limits, Outcome, Status

SPEAKING = (Status.INVALID, Status.CRASHED, Status.OUT_OF_MEMORY)  # failures that a method has words for
LONGEST = 120  # characters of a string of the source
_HEAD = re.compile(r"(?P<name>[A-Za-z_]\w{0,59})(?: at line (?P<line>\d{1,5}) of the method)?: ?(?P<words>.*)", re.DOTALL)
_WORDLESS = re.compile(  # what verdict.py says itself, or a method that writes as if it were verdict.py: a few bits
    r"the method (exited before it returned|exited with status \d{1,3} before it returned"
    r"|died of signal SIG(SEGV|BUS|FPE|ILL|TRAP|ABRT|SYS|PIPE|ALRM|VTALRM|PROF|XFSZ))"
)
_NUMBER = re.compile(r"-?\d[\d.e+-]*|\b(?:nan|inf)\b")
_KNOWN = ("LinAlgError", "NotFittedError", "InvalidParameterError", "OutOfMemoryError", "AxisError", "UFuncTypeError")


def noise(problem: Problem) -> Problem:
    """Return a problem of the same shapes that holds nothing of this one: the same noise for all."""
    rng, noisy = np.random.default_rng(0), dict[str, np.ndarray]()
    for array in problem.contract.arrays:
        if array.name in problem.arrays:
            noisy |= _noise(array, problem, rng)
    return problem.changed(noisy, seed=0)


def _noise(array: Array, problem: Problem, rng: np.random.Generator) -> Arrays:
    """Return an array of noise that keeps to what the contract says of its values."""
    like = problem[array.name]
    if array.dtype == TEXT:
        offsets = problem[array.name + OFFSETS]
        even = np.linspace(0, len(like), len(offsets)).astype(np.int64)
        return {array.name: rng.integers(97, 123, len(like), np.uint8), array.name + OFFSETS: even}
    if array.values == PROBABILITIES:
        some = rng.random(like.shape, np.float32) + np.float32(0.01)
        return {array.name: (some / some.sum(-1, keepdims=True)).astype(like.dtype)}
    if like.dtype.kind == "f":
        return {array.name: rng.standard_normal(like.shape).astype(like.dtype)}
    below = int(array.values) if array.values.isdigit() else problem.contract.members(array.values, problem.arrays) or 2
    return {array.name: rng.integers(0, below, like.shape).astype(like.dtype)}


def needed(outcome: Outcome) -> bool:
    """Tell whether a failure has words of the method's."""
    return outcome.status in SPEAKING and _WORDLESS.fullmatch(outcome.message) is None


def patience(outcome: Outcome, limits: Limits) -> Limits:
    """Return what a method may use on noise: it has failed once already."""
    return replace(limits, seconds=min(limits.seconds, 2 * outcome.seconds + 1))


def told(outcome: Outcome, on_noise: Outcome, source: str, answer: Answer) -> Outcome:
    """Return an outcome with words that tell nothing of its instance."""
    if on_noise.status is outcome.status and _alike(outcome.message, on_noise.message):
        return replace(outcome, message=on_noise.message)
    return replace(outcome, message=_without_data(outcome, source, answer))


def _alike(one: str, other: str) -> bool:
    """Tell whether two failures are the same: the same exception at the same line, or the same sentence but for numbers."""
    heads = [_HEAD.match(text) for text in (one, other)]
    if heads[0] and heads[1]:
        return heads[0].group("name", "line") == heads[1].group("name", "line")
    return _NUMBER.sub("#", one) == _NUMBER.sub("#", other)


def _without_data(outcome: Outcome, source: str, answer: Answer) -> str:
    """Return a failure's kind, line, and own words if they stand in the source as they are."""
    if outcome.status is Status.INVALID:
        common = {  # what the runner says -> what is told
            "values that are not finite": f"the method returned values that are not finite, expected {answer.meaning}",
            f"expected {answer.limits}": f"the method returned values outside {answer.limits}",
        }
        told = (sentence for sign, sentence in common.items() if sign in outcome.message)
        return next(told, f"the method returned something else than {answer.meaning}, on this instance's data only")
    head = _HEAD.match(outcome.message)
    if outcome.status is Status.OUT_OF_MEMORY and head is None:
        return "the method needed more memory than it may have"
    if head is None:
        return "the method failed on this instance's data only"
    name, line, words = head.group("name", "line", "words")
    kind = getattr(builtins, name, None)
    ours = isinstance(kind, type) and issubclass(kind, BaseException)
    known = ours or name in _KNOWN or re.search(rf"^\s*class {name}\b", source, re.MULTILINE) is not None
    place = f" at line {line} of the method" if line and int(line) <= source.count("\n") + 1 else ""
    literal = len(words) <= LONGEST and any(f"{quote}{words}{quote}" in source for quote in "'\"")
    why = words if words and literal else "on this instance's data only; its words are not shown, they may hold the data"
    return f"{name if known else 'an exception'}{place}: {why}"
