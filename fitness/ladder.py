"""Answers questions about scores as the Ladder does: the only form in which they reach a prompt, an agent or a method.

Blum & Hardt 2015, "The Ladder: A Reliable Leaderboard for Machine Learning Competitions", algorithm 1: an answer is the best
score so far, and moves only when a submission beats it by a step. The step is fixed and one Ladder serves everything that a
search asks on its dev split: the parameter-free step of their algorithm 2 shrinks for submissions that are nearly alike, and a
climber that flips a few answers at a time reads most of the labels through it (tests/security/leaks).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

RUNGS = 50  # answers above 0 that the Ladder can give
STEP = 1 / RUNGS  # of accuracy: eta of Blum & Hardt 2015
SHOWN = 20  # steps that a PGR of 1 is shown in: .05 each
_SLACK = 1e-9  # a score that is a rung but for its floating-point error is that rung


@dataclass(frozen=True)
class Rung:
    """What one query is answered.

    Attributes:
        value: the highest rung reached so far by anything that asked, an accuracy on the grid 0, STEP, ..., 1.
        raised: whether this query is the one that reached it.
    """

    value: float
    raised: bool


@dataclass
class Ladder:
    """The answers that have been given, and the next one.

    Rounded down to the grid, a score is above the best rung exactly when it beats that rung by the step, so the answers are the
    running maximum of rounded scores (Zheng 2015, arXiv:1510.03349). That is also all there is to restore: after a resume,
    `Ladder(best=the last answer, queries=the number of answers)` goes on as if nothing had happened.

    Attributes:
        best: the highest rung so far; 0 before anything was asked.
        queries: how many scores were asked about. A method without a score asks nothing.
    """

    best: float = 0.0
    queries: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.best <= 1 or self.best != _down(self.best, RUNGS) or self.queries < 0:
            raise ValueError(f"a Ladder stands on a rung after 0 or more queries, got {self.best} after {self.queries}")

    def ask(self, accuracy: float) -> Rung:
        """Answer one query about an accuracy in [0, 1]; raises ValueError for any other number."""
        if not 0 <= accuracy <= 1:
            raise ValueError(f"an accuracy is in [0, 1], got {accuracy}")
        reached = _down(accuracy, RUNGS)
        raised = reached > self.best
        self.best = max(self.best, reached)
        self.queries += 1
        return Rung(self.best, raised)


def shown(rung: float, floor: float, ceiling: float) -> float:
    """Return what a prompt shows of a rung: its PGR between the split's mean floor and ceiling, rounded down to .05.

    A function of the answer alone, so it tells nothing that the answer does not. Raises ValueError without a gap.
    """
    if not ceiling > floor:
        raise ValueError(f"the ceiling must exceed the floor, got {ceiling} and {floor}")
    return _down((rung - floor) / (ceiling - floor), SHOWN)


def transcript_bits(queries: int, step: float = STEP) -> float:
    """Return the bits B of everything a Ladder can say in `queries` answers: log2 of the number of possible transcripts.

    A transcript is a sequence of `queries` rungs that never falls; there are C(queries + 1/step, 1/step) of them. They are at
    most (queries + 1)^(1/step), so B <= (1/step) log2(queries/step) for steps up to 1/2: the cruder count of 1/step raises,
    each a position and a value, with which Blum & Hardt 2015 bound the error of their algorithm 1.
    """
    rungs = round(1 / step)
    return math.log2(math.comb(queries + rungs, rungs))


def recoverable(bits: float, n: int) -> float:
    """Return the largest share of n labels that B bits about them let anyone name, on average: 1/2 + sqrt(B ln 2 / (2 n)).

    For labels that are fair coins: what is learnt of single labels adds up to at most B (they are independent), b bits about a
    label move its odds by at most sqrt(b ln 2 / 2) (Pinsker), and the mean of a concave function is at most its value at the
    mean (Jensen). Knowing that exactly half of the labels are ones is worth log2(pi n / 2) / 2 bits more: 6 at n = 3,000.
    """
    return min(1.0, 0.5 + math.sqrt(bits * math.log(2) / (2 * n)))


def _down(value: float, parts: int) -> float:
    """Round a number down to the grid of 1/parts."""
    return math.floor(value * parts + _SLACK) / parts
