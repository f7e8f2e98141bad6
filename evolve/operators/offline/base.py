"""Has a method edited in the worker, by the rule of a subclass: what all operators without a model share."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

from evolve.nouns import Brief, Draft, Edit, Relative, Subject, Tools
from evolve.screening.worker import CallFailed, WorkerDied
from fitness.registry import reference_of
from fitness.tasks.grammar import Grammar

if TYPE_CHECKING:
    from evolve.operators.offline.script import Script

EDIT = "evolve.operators.offline.editing:edited"  # runs in the worker: only there is libcst imported
SECONDS = 5.0  # of processor time


@dataclass(frozen=True)
class Change:
    """A changed script and what was changed, in one line; `text` is its file where that is not the script as rendered."""

    script: Script
    idea: str
    text: str = ""


@dataclass(frozen=True)
class Material:
    """What an operator has to work with, beside the script that it changes.

    Attributes:
        source: the parent's file, as it was written.
        donors: methods to take steps from.
        focus: the kinds of step that the direction is about.
        family: the parent and the methods that differ from it in constants only.
        grammar: that of the task, if it has one.
    """

    source: str
    donors: tuple[Script, ...] = ()
    focus: tuple[str, ...] = ()
    family: tuple[Relative, ...] = ()
    grammar: Grammar | None = None


class Offline(ABC):
    """An operator that edits structure; a subclass says how with `change`."""

    name: ClassVar[str]
    needs_model: ClassVar[bool] = False
    parents: ClassVar[int] = 1
    subject: ClassVar[Subject] = "parents"
    structural: ClassVar[bool] = True  # whether numbers may be changed on top
    needs_grammar: ClassVar[bool] = False  # whether it has nothing to do on a task without one
    informed: ClassVar[bool] = False  # whether it looks at the family's fitness

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Make a child of the first parent, with the other parents and the inspirations as donors."""
        sources = [exhibit.method.source for exhibit in (*brief.parents, *brief.inspirations)]
        family = brief.family if self.informed else ()
        made = self._edited(tools, sources, brief.direction.focus, rng.getrandbits(32), family)
        return Draft(made.source, idea=made.idea, problem=made.problem)

    def _edited(
        self, tools: Tools, sources: list[str], focus: tuple[str, ...], seed: int, family: tuple[Relative, ...]
    ) -> Edit:
        """Have sources[0] edited in the worker, with the others as donors and what is known of its constants."""
        known = [asdict(member) for member in family]
        material = {"sources": sources, "focus": focus, "family": known, "grammar": tools.grammar and tools.grammar.to_json()}
        try:
            return Edit(**tools.worker.call(EDIT, SECONDS, operator=reference_of(type(self)), seed=seed, **material))
        except CallFailed as error:
            return Edit(None, "", f"the operator {self.name} cannot edit these methods: {error}")
        except WorkerDied:
            return Edit(None, "", f"the operator {self.name} crashed on these methods, or was busy with them for too long")

    @abstractmethod
    def change(self, script: Script, material: Material, rng: random.Random) -> Change:
        """Return one changed script (in the worker). Raises Unsuitable, with a sentence, when this draw leads nowhere."""


def weighted(kinds: Sequence[str], focus: Sequence[str], rng: random.Random) -> str:
    """Draw a kind of step, those in focus three times as often."""
    return rng.choices(kinds, [3.0 if kind in focus else 1.0 for kind in kinds])[0]
