"""Defines the tasks that methods are judged on: a table of dotted names, loaded when asked for.

- directions: research directions from the literature
- embedded/: the task that is shipped
- secret: keyed randomness
- source: what draws instances
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

from fitness.nouns import EvolveError, Limits, Measure


class Task(Protocol):
    """What the trusted process knows of a task. Nothing here imports torch; instances are built in a process of their own."""

    @property
    def name(self) -> str:
        """The task's name in the table below."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever an instance would come out different; instances of other versions are never read."""
        ...

    @property
    def brief(self) -> str:
        """The text that explains the task to a researcher or a language model."""
        ...

    @property
    def search_domains(self) -> tuple[str, ...]:
        """Domains the search is scored on."""
        ...

    @property
    def held_out_domains(self) -> tuple[str, ...]:
        """Domains that a champion is judged on after selection has ended."""
        ...

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The axes of the default grid."""
        ...

    @property
    def other_measures(self) -> tuple[Measure, ...]:
        """Measures that a run may choose as axes instead; every evaluation records them too."""
        ...

    @property
    def limits(self) -> Limits:
        """What one run of a method may use."""
        ...

    @property
    def least_instances(self) -> int:
        """Dev instances of each search domain that a method needs before it can be placed."""
        ...

    @property
    def margin(self) -> float:
        """By how much accuracy a ceiling must exceed its teacher; an instance with less is drawn again."""
        ...

    @property
    def source(self) -> str:
        """Dotted name `module:factory`, imported in the builder only; `factory(options)` is a `fitness.tasks.drawn.Source`."""
        ...

    @property
    def options(self) -> Mapping[str, int]:
        """What the factory is called with."""
        ...


TASKS = {"embedded": "fitness.tasks.embedded.task:TASK"}


def resolve(dotted: str) -> object:
    """Import what `module:attribute` names."""
    module, _, attribute = dotted.partition(":")
    return getattr(import_module(module), attribute)


def load(name: str) -> Task:
    """Return the task of this name; raises EvolveError, listing the known ones, when there is none."""
    if name not in TASKS:
        raise EvolveError(f"There is no task named {name!r}; the known tasks are: {', '.join(sorted(TASKS))}.")
    return cast(Task, resolve(TASKS[name]))


def domains(task: Task) -> tuple[str, ...]:
    """Return all domains of a task, search domains first."""
    return task.search_domains + task.held_out_domains
