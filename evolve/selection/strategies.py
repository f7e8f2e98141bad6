"""Defines the strategies of search: what is kept, and what children are made of; small policies under one loop.

All but `random` choose operators, directions and prompts alike. They are there to be compared at equal budget (evolve/study):
independent sampling and constant tuning explain much of what evolutionary coding agents find. Your own is named as
`module:NAME` or `file.py:NAME`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

from evolve.config import Config
from evolve.errors import UsageError
from fitness import registry

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
        reference: the file and name that the user named it by; "" for one of ours.
    """

    about: str
    parents: Parents = "population"
    pool: int | None = 1
    islands: bool = False
    operators: tuple[str, ...] = ()
    even: bool = False
    reference: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what no search could use."""
        if self.parents not in get_args(Parents):
            raise ValueError(f"parents = {self.parents!r}: choose among {', '.join(get_args(Parents))}")
        if self.pool is not None and self.pool < 1:
            raise ValueError(f"pool = {self.pool} keeps no method: it is None or 1 and more")
        if isinstance(self.operators, str):
            raise ValueError('operators are a tuple of names, such as ("tune",)')


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


_ADMITTED = dict[str, Strategy]()  # the strategies of the user's own that this process was told of, by name


def strategy(name: str) -> Strategy:
    """Return the strategy of that name, which may come from an archive: nothing is imported.

    Raises UsageError when there is none, with the names there are.
    """
    known = STRATEGIES | _ADMITTED
    if name in known:
        return known[name]
    if re.fullmatch(r"[\w.]+-[0-9a-f]{8}", name):
        again = "say --strategy path/to/file.py:NAME, with the file as it was then"
        raise UsageError(f"the strategy {name} is of somebody's own, and is imported only when you name it: {again}")
    raise UsageError(f"unknown strategy {name!r}: the strategies are {', '.join(STRATEGIES)}")


def admit(reference: str) -> str:
    """Import the strategy that the user names by `module:NAME` or `path/to/file.py:NAME`, and return the name it goes by here.

    That is NAME and a digest of the file: a run goes on with the strategy that it began with. Any other name is returned as it
    is. Raises UsageError with what is wrong with the file.
    """
    if not registry.is_reference(reference):
        return reference
    found = registry.load(reference)
    if not isinstance(found, Strategy):
        raise UsageError(f"{reference} is no strategy but of type {type(found).__name__}: write NAME = Strategy(...) there")
    name = f"{reference.rpartition(':')[2]}-{registry.digest(registry.file_of(reference))}"
    _ADMITTED[name] = replace(found, reference=reference)
    return name


def populations(config: Config) -> int:
    """Return the number of populations of a run: its islands, or one where the strategy has none."""
    return config.islands if strategy(config.strategy).islands else 1
