"""Removes one step of a method (operator `remove`)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from evolve.operators.offline.base import Change, Material, Offline, weighted

if TYPE_CHECKING:
    from evolve.operators.offline.script import Script

PLAIN = '''
EPOCHS = 8
LEARNING_RATE = 3e-3


def head(problem, x, targets, weights=None, loss=None):
    """Fit the default student (Burns et al. 2023)."""
    return problem.student.fit(x, targets, weights, epochs=EPOCHS, lr=LEARNING_RATE, loss=loss)
'''


class Remove(Offline):
    """Takes a step out; its kind becomes the identity. Every method keeps its head."""

    name = "remove"

    def change(self, script: Script, material: Material, rng: random.Random) -> Change:
        """Remove one step; of a method that has only a head, the head goes back to the default student."""
        from evolve.operators.offline.script import Unsuitable
        from evolve.operators.offline.splice import remove

        if not script.grammatical:
            raise Unsuitable("it is not made of steps, so none can be taken out")
        optional = [kind for kind in script.steps if kind != "head"]
        if not optional:
            return Change(plain_head(script), "remove what was particular about the head")
        kind = weighted(optional, material.focus, rng)
        return Change(remove(script, kind), f"remove {kind}")


def plain_head(script: Script) -> Script:
    """Return the script with the default student, at its default settings, as its head."""
    from evolve.operators.offline.grammar import pipeline
    from evolve.operators.offline.script import parse
    from evolve.operators.offline.splice import splice

    return splice(script, "head", parse(f"{PLAIN}\n\n{pipeline(['head'])}\n"))
