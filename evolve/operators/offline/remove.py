"""Removes one step of a method (operator `remove`)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from evolve.operators.offline.base import Change, Material, Offline, weighted

if TYPE_CHECKING:
    from evolve.operators.offline.script import Script


class Remove(Offline):
    """Takes a step out; its kind becomes the identity. Every method keeps its core.

    Without a grammar a statement is left out, or a call of one of the method's own functions.
    """

    name = "remove"

    def change(self, script: Script, material: Material, rng: random.Random) -> Change:
        """Remove one step; of a method that has only a core, that goes back to the plainest one."""
        from evolve.operators.offline.ablation import ablate
        from evolve.operators.offline.script import Script, Unsuitable, definitions_in
        from evolve.operators.offline.splice import remove, splice

        grammar = script.grammar
        if grammar is None:
            return ablate(script, material.focus, rng)
        if not script.grammatical:
            raise Unsuitable("it is not made of steps, so none can be taken out")
        optional = [kind for kind in script.steps if kind != grammar.core]
        if not optional:
            plain = Script({d.name: d for d in definitions_in(grammar.plain)}, grammar=grammar)
            return Change(splice(script, grammar.core, plain), f"remove what was particular about the {grammar.core}")
        kind = weighted(optional, material.focus, rng)
        return Change(remove(script, kind), f"remove {kind}")
