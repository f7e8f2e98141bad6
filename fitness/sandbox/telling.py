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

from fitness.nouns import Limits, Outcome, Problem, Status

SPEAKING = (Status.INVALID, Status.CRASHED, Status.OUT_OF_MEMORY)  # failures that a method has words for
LONGEST = 120  # characters of a string of the source
_HEAD = re.compile(r"(?P<name>[A-Za-z_]\w{0,59})(?: at line (?P<line>\d{1,5}) of the method)?: ?(?P<words>.*)", re.DOTALL)
_WORDLESS = re.compile(  # what verdict.py says itself, or a method that writes as if it were verdict.py: a few bits
    r"the method (exited before it returned|exited with status \d{1,3} before it returned"
    r"|died of signal SIG(SEGV|BUS|FPE|ILL|TRAP|ABRT|SYS|PIPE|ALRM|VTALRM|PROF|XFSZ))"
)
_NUMBER = re.compile(r"-?\d[\d.e+-]*|\b(?:nan|inf)\b")
_KNOWN = ("LinAlgError", "NotFittedError", "InvalidParameterError", "OutOfMemoryError", "AxisError", "UFuncTypeError")
_COMMON = {  # INVALID that comes of data: what the runner says -> what is told
    "values that are not finite": "the method returned values that are not finite, expected probabilities",
    "expected [0, 1]": "the method returned values outside [0, 1]",
}


def noise(problem: Problem) -> Problem:
    """Return a problem of the same shapes that holds nothing of this one: the same noise for all."""
    rng = np.random.default_rng(0)
    weak = rng.random(problem.weak.shape, np.float32) + np.float32(0.01)
    return replace(
        problem,
        train_x=rng.standard_normal(problem.train_x.shape, np.float32),
        weak=weak / weak.sum(1, keepdims=True),
        test_x=rng.standard_normal(problem.test_x.shape, np.float32),
        pairs=None if problem.pairs is None else rng.integers(0, len(problem.train_x), problem.pairs.shape),
        seed=0,
    )


def needed(outcome: Outcome) -> bool:
    """Tell whether a failure has words of the method's."""
    return outcome.status in SPEAKING and _WORDLESS.fullmatch(outcome.message) is None


def patience(outcome: Outcome, limits: Limits) -> Limits:
    """Return what a method may use on noise: it has failed once already."""
    return replace(limits, seconds=min(limits.seconds, 2 * outcome.seconds + 1))


def told(outcome: Outcome, on_noise: Outcome, source: str) -> Outcome:
    """Return an outcome with words that tell nothing of its instance."""
    if on_noise.status is outcome.status and _alike(outcome.message, on_noise.message):
        return replace(outcome, message=on_noise.message)
    return replace(outcome, message=_without_data(outcome, source))


def _alike(one: str, other: str) -> bool:
    """Tell whether two failures are the same: the same exception at the same line, or the same sentence but for numbers."""
    heads = [_HEAD.match(text) for text in (one, other)]
    if heads[0] and heads[1]:
        return heads[0].group("name", "line") == heads[1].group("name", "line")
    return _NUMBER.sub("#", one) == _NUMBER.sub("#", other)


def _without_data(outcome: Outcome, source: str) -> str:
    """Return a failure's kind, line, and own words if they stand in the source as they are."""
    if outcome.status is Status.INVALID:
        common = (sentence for sign, sentence in _COMMON.items() if sign in outcome.message)
        return next(common, "the method returned something else than probabilities, on this instance's data only")
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
