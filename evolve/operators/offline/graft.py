"""Puts a step of one method in place of, or beside, the steps of another (operator `graft`)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evolve.operators.offline.base import Change, Material, Offline, weighted

if TYPE_CHECKING:
    from evolve.operators.offline.script import Script

SECOND = 0.25  # share of children that take two steps
MATE = 0.7  # share of grafts that take from the second parent rather than from an inspiration


class Graft(Offline):
    """Takes a step, with the helpers, constants and imports it needs, from another parent or an inspiration.

    Without a grammar the steps are the functions that both files have under one name.
    """

    name = "graft"
    parents = 2

    def change(self, script: Script, material: Material, rng: random.Random) -> Change:
        """Graft one or two steps of one donor."""
        from evolve.operators.offline.exchange import exchange
        from evolve.operators.offline.script import Unsuitable

        donors, focus = material.donors, material.focus
        if not donors:
            raise Unsuitable("there is no second method to take a step from")
        donor = donors[0] if rng.random() < MATE else rng.choice(donors)
        move = take if script.grammar else exchange
        change = move(script, donor, focus, rng)
        if (script.grammatical or script.grammar is None) and rng.random() < SECOND:
            try:
                more = move(change.script, donor, focus, rng)
            except Unsuitable:
                return change
            return Change(more.script, f"{change.idea}; {more.idea}")
        return change


def take(script: Script, donor: Script, focus: Sequence[str], rng: random.Random, kinds: Sequence[str] | None = None) -> Change:
    """Put one of the donor's steps that the script does not have yet into it, of the given kinds when there are any."""
    from evolve.operators.offline.script import Unsuitable
    from evolve.operators.offline.splice import adopt, splice

    assert script.grammar is not None
    target, steps = adopt(script), donor.steps
    if not steps and not donor.grammatical:
        donor = adopt(donor)
        steps = donor.steps
    foreign = not script.grammatical
    allowed = [k for k in steps if (kinds is None or k in kinds) and not (foreign and k == script.grammar.core)]
    wanted = [k for k in allowed if _differs(k, target, donor)]
    if not wanted:
        raise Unsuitable("the donor has no step that this method lacks")
    kind = weighted(wanted, focus, rng)
    verb = "replace" if kind in target.steps else "add"
    return Change(splice(target, kind, donor), f"{verb} {kind}: {donor.about(kind)}")


def _differs(kind: str, script: Script, donor: Script) -> bool:
    """Tell whether a donor's step, or what it needs, is not what the script has."""
    own = [script.definitions[n].code for n in script.closure([kind])] if kind in script.steps else []
    return own != [donor.definitions[n].code for n in donor.closure([kind])]
