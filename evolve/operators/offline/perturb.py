"""Changes numbers of a method and nothing else (operator `perturb`)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evolve.operators.offline.base import Change, Material, Offline

if TYPE_CHECKING:
    from evolve.operators.offline.numbers import Place
    from evolve.operators.offline.script import Script


class Perturb(Offline):
    """Changes one to three numbers on a logarithmic scale, within bounds; whole numbers stay whole."""

    name = "perturb"
    structural = False

    def change(self, script: Script, material: Material, rng: random.Random) -> Change:
        """Change some numbers, named constants and those of the steps in focus first."""
        from evolve.operators.offline.numbers import moved, places, put
        from evolve.operators.offline.script import Unsuitable

        found = places(script)
        if not found:
            raise Unsuitable("it has no numbers to change")
        preference = weights(found, script, material.focus)
        ideas, drawn = [], {}
        for _ in range(rng.choice([1, 1, 2, 3])):
            place = rng.choices(found, preference)[0]
            drawn[place.definition, place.index] = place
        for place in drawn.values():
            value = moved(place, script.grammar, rng)
            if value != place.value:
                script = put(script, place, value)
                ideas.append(f"{place.name or 'a number in ' + place.definition} {place.value} -> {value}")
        if not ideas:
            raise Unsuitable("its numbers are at the ends of their ranges")
        return Change(script, ", ".join(ideas))


def weights(found: Sequence[Place], script: Script, focus: Sequence[str]) -> list[float]:
    """Return how likely each number is to be changed: those with a name, and those of the steps in focus, first."""
    needed = set(script.closure([kind for kind in script.steps if kind in focus]))
    return [(4.0 if place.name else 1.0) * (3.0 if place.definition in needed else 1.0) for place in found]
