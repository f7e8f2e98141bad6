"""Adds a kind of step that the method does not have, taken from the methods at hand (operator `insert`)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from evolve.operators.offline.base import Change, Material, Offline
from evolve.operators.offline.graft import take

if TYPE_CHECKING:
    from evolve.operators.offline.script import Script


class Insert(Offline):
    """Adds a step of a kind that was absent; where the material has none, a step of a kind that was there is replaced."""

    name = "insert"
    needs_grammar = True

    def change(self, script: Script, material: Material, rng: random.Random) -> Change:
        """Add one step of some donor."""
        from evolve.operators.offline.script import Unsuitable

        if not material.donors:
            raise Unsuitable("there is no other method to take a step from")
        grammar = script.grammar
        if grammar is None:
            raise Unsuitable("the task has no grammar that says where a step could be added")
        present = script.steps if script.grammatical else (grammar.core,)
        absent = [kind for kind in grammar.order if kind not in present]
        for donor in rng.sample(material.donors, len(material.donors)):
            try:
                return take(script, donor, material.focus, rng, absent)
            except Unsuitable:
                continue
        return take(script, rng.choice(material.donors), material.focus, rng)
