"""Defines the strategies of search: what is kept, and what children are made of; small policies under one loop.

All but `random` choose operators, directions and prompts alike. They are there to be compared at equal budget (evolve/study):
independent sampling and constant tuning explain much of what evolutionary coding agents find.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evolve.config import Config
from evolve.errors import UsageError

Parents = Literal["population", "seeds", "best seed", "last"]


@dataclass(frozen=True)
class Strategy:
    """A strategy of search.

    Attributes:
        about: what it does, in one line.
        parents: whom children are made of: an island's population, any seed, the best seed, or the child that was judged last.
        pool: how many methods an island's population has, the fittest there were; None for the elites of a grid.
        islands: whether several populations evolve apart.
        operators: the names of those it uses, all when there is none.
        even: whether seed, operator and direction are drawn evenly, whatever came of them.
    """

    about: str
    parents: Parents = "population"
    pool: int | None = 1
    islands: bool = False
    operators: tuple[str, ...] = ()
    even: bool = False


STRATEGIES = {
    "map-elites": Strategy(
        "elites of a grid of behaviours, on islands (Mouret and Clune 2015; Romera-Paredes et al. 2024)",
        pool=None,
        islands=True,
    ),
    "islands": Strategy("the fittest of each island, whatever their behaviour (Whitley et al. 1999)", pool=24, islands=True),
    "hillclimb": Strategy("children of the best method so far: a (1+1) evolution strategy"),
    "sequential": Strategy("each child from the one before it, better or worse", parents="last"),
    "iid": Strategy("children of the seeds only: independent samples", parents="seeds"),
    "random": Strategy("a seed and an operator drawn evenly, without bandit or novelty", parents="seeds", even=True),
    "tune": Strategy("the constants of the best seed, by Optuna's TPE", parents="best seed", operators=("tune",)),
}


def strategy(name: str) -> Strategy:
    """Return the strategy of that name. Raises UsageError when there is none, with the names there are."""
    if name not in STRATEGIES:
        raise UsageError(f"unknown strategy {name!r}: the strategies are {', '.join(STRATEGIES)}")
    return STRATEGIES[name]


def populations(config: Config) -> int:
    """Return the number of populations of a run: its islands, or one where the strategy has none."""
    return config.islands if strategy(config.strategy).islands else 1
