"""Describes the grammar of a task's methods as data: kinds of step, and the entry function that calls a file's steps.

A file in the grammar defines some of these functions (always the core), what helpers, constants and imports they need, and the
entry function that `pipeline` writes for them. A kind that is absent is the identity, so a step of a file fits into any other.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Kind:
    """One kind of step.

    Attributes:
        name: the function's name.
        parameters: its parameters, in order.
        identity: the body that does nothing, as one return statement; empty where there is none.
        about: what it does.
        read_as: the core's parameter that takes what this step makes; the step is idle in a file whose core never reads it.
    """

    name: str
    parameters: tuple[str, ...]
    identity: str = ""
    about: str = ""
    read_as: str = ""


@dataclass(frozen=True)
class Line:
    """A line of the entry function.

    Attributes:
        text: the line, with the grammar's parts in braces.
        needs: the kind that it stands with; "-kind" is a line that stands where the kind is absent.
    """

    text: str
    needs: str = ""


@dataclass(frozen=True)
class Part:
    """A piece of a line: `present` where the file has the kind, `absent` where not; earlier parts may stand in it."""

    name: str
    kind: str
    present: str
    absent: str = ""


@dataclass(frozen=True)
class Pace:
    """Estimates how long a method runs from the constants that people name so, in a unit of the grammar's choice.

    Attributes:
        slowest: what the slowest child may cost.
        once: what everything costs that runs once; `least`: what is repeated costs no less than this.
        repeats: constants that multiply.
        adds: constants that add, each with what it adds at zero and for each unit.
    """

    slowest: float
    once: float
    least: float
    repeats: tuple[str, ...]
    adds: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Grammar:
    """The grammar of a task's methods.

    Attributes:
        kinds: the kinds of step, in the order in which a file defines them.
        core: the kind that every file has.
        entry: the lines of the function `method`; `parts` are what they are put together from.
        plain: a file that defines the simplest core, to which a method goes back that has nothing but its core.
        adopting: a file that defines a core which uses a whole method, named `whole` there, of any other form.
        docstring: the docstring of a bred file.
        bounds: sane ranges of what people name their constants: name, low, high.
        pace: how long a method runs; without it no child is too slow to be judged.
    """

    kinds: tuple[Kind, ...]
    core: str
    entry: tuple[Line, ...]
    parts: tuple[Part, ...]
    plain: str
    adopting: str
    docstring: str
    bounds: tuple[tuple[str, float, float], ...] = ()
    pace: Pace | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """The names of the kinds, in order."""
        return tuple(kind.name for kind in self.kinds)

    def kind(self, name: str) -> Kind | None:
        """Return the kind of that name, if there is one."""
        return next((kind for kind in self.kinds if kind.name == name), None)

    def pipeline(self, present: Collection[str]) -> str:
        """Return the source of the entry function for a file that has these kinds of step; the core must be among them."""
        parts: dict[str, str] = {}
        for part in self.parts:
            parts[part.name] = (part.present if part.kind in present else part.absent).format_map(parts)
        standing = (line for line in self.entry if _stands(line.needs, present))
        return "\n".join(line.text.format_map(parts) for line in standing)

    def to_json(self) -> str:
        """Write it for another process."""
        return json.dumps(asdict(self))


def _stands(needs: str, present: Collection[str]) -> bool:
    if needs.startswith("-"):
        return needs[1:] not in present
    return not needs or needs in present


@lru_cache(maxsize=8)
def from_json(text: str) -> Grammar:
    """Read what `to_json` wrote."""
    found = json.loads(text)
    return Grammar(
        kinds=tuple(Kind(**{**kind, "parameters": tuple(kind["parameters"])}) for kind in found.pop("kinds")),
        entry=tuple(Line(**line) for line in found.pop("entry")),
        parts=tuple(Part(**part) for part in found.pop("parts")),
        bounds=tuple((name, low, high) for name, low, high in found.pop("bounds")),
        pace=_pace(found.pop("pace")),
        **found,
    )


def _pace(found: dict[str, Any] | None) -> Pace | None:
    if found is None:
        return None
    adds = tuple((name, base, each) for name, base, each in found["adds"])
    return Pace(**{**found, "repeats": tuple(found["repeats"]), "adds": adds})
