"""Describes a task as data: what is asked, on which domains, under which contract, and where its instances come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fitness.contracts.contract import Contract, Scoring
from fitness.contracts.probabilities import ACCURACY, PROBABILITIES
from fitness.nouns import Direction, Limits, Measure
from fitness.tasks.directions import DIRECTIONS
from fitness.tasks.grammar import Grammar

LIMITS = Limits()
SEEDS = Path(__file__).parents[2] / "seeds"
_NAME = re.compile(r"\w[\w-]*")


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What the trusted process knows of a task. Nothing here imports torch; instances are built in a process of their own.

    Attributes:
        name: its name in the table, or in messages and in the vault; letters, digits, _ and -, as in the domains' names.
        version: changes whenever an instance would come out different; instances of other versions are never read.
        brief: the text that explains the task to a researcher or a language model.
        search_domains: domains the search is scored on; `held_out_domains`: those that a champion is judged on afterwards.
        absent: domains that cannot be drawn here, and a sentence each that says what to do to have them.
        measures: the axes of the default grid; `other_measures`: what a run may choose instead. All are the contract's or size.
        limits: what one run of a method may use.
        least_instances: dev instances of each search domain that a method needs before it can be placed.
        margin: by how much a ceiling must exceed its floor; an instance with less is drawn again.
        source: `module:factory` or `file.py:factory`, imported in the builder only; `factory(options)` is a source.Source. In a
            task's own file the name of the class is enough.
        options: what the factory is called with, as JSON.
        facts: what a researcher may be told of a domain without a label, by domain: sizes, classes, whether there are pairs.
        contract: what a method is handed, and may return; `scoring`: what an answer is worth.
        directions: the research directions that a search begins with.
        seeds: the folder of the human baselines, or several; relative ones lie beside the task's own file.
        grammar: the kinds of step that operators without a model know. Without one they exchange functions of one name.
        notes: what the record of every run on it says, such as where it deviates from what it repeats.
        patience: seconds that the first instances may take to be drawn, where models must read or be taught something for them.
        model: the folder of a language model that problem.student fine-tunes (contract.tuned); "" for none.
        forecast: `module:function` that says what a run takes of a GPU before anything is spent: of the options, the GPU's name
            ("" for none) and bytes, and the GPU-hours that may be spent, or None, it makes facts with `lines`. "" for a task
            that takes none of its own.
        reference: where a task of the user's own was imported from.
    """

    name: str
    version: str = "1"
    brief: str = ""
    search_domains: tuple[str, ...]
    held_out_domains: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    measures: tuple[Measure, ...] = PROBABILITIES.measures
    other_measures: tuple[Measure, ...] = PROBABILITIES.other_measures
    limits: Limits = LIMITS
    least_instances: int = 10
    margin: float = 0.1
    source: str = "Source"
    options: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    contract: Contract = PROBABILITIES
    scoring: Scoring = ACCURACY
    directions: tuple[Direction, ...] = DIRECTIONS
    seeds: tuple[Path, ...] = (SEEDS,)
    grammar: Grammar | None = None
    notes: tuple[str, ...] = ()
    patience: float = 0.0
    model: str = ""
    forecast: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what no search could use: the vault's folders are named after the task and its domains."""
        if isinstance(self.search_domains, str) or isinstance(self.held_out_domains, str):
            raise ValueError('domains are a tuple of names, such as ("chat",)')
        if isinstance(self.seeds, str | Path):
            object.__setattr__(self, "seeds", (Path(self.seeds),))
        if not self.search_domains or not self.directions:
            raise ValueError("a task needs a search domain and a direction")
        for name in (self.name, self.version, *domains(self)):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name: use letters, digits, _ and -")
        repeated = next((name for name in domains(self) if domains(self).count(name) > 1), "")
        if repeated:
            raise ValueError(f"the domain {repeated!r} is named twice: each is searched on, or held out")
        for measure in (*self.measures, *self.other_measures):
            if measure.name not in (*self.contract.behaviour, "size"):
                raise ValueError(f"{measure.name!r} is not measured: choose among {', '.join(self.contract.behaviour)}, size")


def domains(task: Task) -> tuple[str, ...]:
    """Return all domains of a task, search domains first."""
    return task.search_domains + task.held_out_domains


def fact(train: int, test: int, width: int, classes: int = 2, pairs: int | None = None, *, drawn: bool = True) -> str:
    """Return what is told of a domain: how many rows, features, classes and pairs, None for none.

    `drawn` rows are those of an instance, a half to five sixths of whose test rows a trial shows; others are all that is there.
    """
    shown = f"{train:,} training rows, {test // 2:,} to {5 * test // 6:,} test rows"
    rows = shown if drawn else f"{train:,} training and {test:,} test rows"
    return f"{rows}, {width} features, {classes} classes, {'no' if pairs is None else f'{pairs:,}'} pairs"


def admits(task: Task, other: Task) -> bool:
    """Tell whether methods for another task can run on this one: all arrays that they know are handed to them."""
    known, handed = other.contract, task.contract
    return set(known.arrays) <= set(handed.arrays) and known.answer == handed.answer
