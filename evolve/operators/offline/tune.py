"""Sets the parent's constants to what Optuna proposes, given how the parent's family did (operator `tune`)."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evolve.operators.offline.base import Change, Material, Offline

if TYPE_CHECKING:
    from optuna.distributions import FloatDistribution, IntDistribution

    from evolve.operators.offline.literals import Literal
    from evolve.operators.offline.numbers import Place
    from evolve.operators.offline.script import Script
    from fitness.tasks.grammar import Grammar

MOST = 8  # constants tuned at once
FRESH = 2  # constants tuned beside those that the family has varied already
FAMILY = 256  # members that are considered, the last ones
REACH = 4.0  # factor from the parent within which a constant is tuned: TPE is as broad as its range, and a family is small
STARTUP = 2  # members below which Optuna draws at random


class Tune(Offline):
    """Asks a tree-structured Parzen estimator (Bergstra et al. 2011) for constants; the file is otherwise left as written."""

    name = "tune"
    structural = False
    informed = True

    def change(self, script: Script, material: Material, rng: random.Random) -> Change:
        """Change the constants that the family varied, and a few more, those with a name and those in focus first."""
        import libcst as cst

        from evolve.operators.offline.literals import literals, write
        from evolve.operators.offline.script import Unsuitable, parse
        from evolve.screening.canonical import canonical

        module = cst.parse_module(material.source)
        numbers = canonical(material.source).constants
        known = [m for m in material.family[-FAMILY:] if len(m.constants) == len(numbers) and math.isfinite(m.fitness)]
        space = {literal: _range(literal.place, script.grammar) for literal in literals(module, script)}
        free = [literal for literal, within in space.items() if within.low < within.high]
        if not free:
            raise Unsuitable("it has no constants to tune")
        chosen = _chosen(free, [m.constants for m in known], script, material.focus, rng)
        fitting = [(m.constants, m.fitness) for m in known if _fits(m.constants, numbers, {x: space[x] for x in chosen})]
        values = _ask({str(x.index): space[x] for x in chosen}, fitting, rng.getrandbits(32))
        child = list(numbers)
        for literal in chosen:
            child[literal.index] = values[str(literal.index)]
        if any(_near(child, other) for other in (numbers, *(m.constants for m in known))):
            raise Unsuitable("the constants that Optuna proposes are known already")
        text = write(module, [x.node for x in chosen], [values[str(x.index)] for x in chosen])
        changes = [(x.place, values[str(x.index)]) for x in chosen if values[str(x.index)] != x.place.value]
        idea = ", ".join(f"{p.name or 'a number in ' + p.definition} {p.value} -> {value}" for p, value in changes)
        return Change(parse(text, script.grammar), f"tuned: {idea}", text)


def _chosen(
    free: Sequence[Literal], family: Sequence[Sequence[float]], script: Script, focus: Sequence[str], rng: random.Random
) -> list[Literal]:
    """Return what to tune: what the family has varied and a little more, at most MOST of all."""
    from evolve.operators.offline.perturb import weights

    preference = dict(zip(free, weights([literal.place for literal in free], script, focus)))
    varied = [literal for literal in free if len({constants[literal.index] for constants in family}) > 1]
    others = [literal for literal in free if literal not in varied]
    chosen = _drawn(varied, preference, MOST, rng)
    chosen += _drawn(others, preference, min(FRESH, MOST - len(chosen)), rng)
    return sorted(chosen, key=lambda literal: literal.index)


def _drawn(among: Sequence[Literal], preference: dict[Literal, float], count: int, rng: random.Random) -> list[Literal]:
    """Draw without replacement, by preference (Efraimidis and Spirakis 2006)."""
    keys = {literal: rng.random() ** (1 / preference[literal]) for literal in among}
    return sorted(among, key=lambda literal: -keys[literal])[:count]


def _range(place: Place, grammar: Grammar | None) -> IntDistribution | FloatDistribution:
    """Return the range of a number around the parent's, on a logarithmic scale; whole numbers stay whole."""
    from optuna.distributions import FloatDistribution, IntDistribution

    from evolve.operators.offline.numbers import bounds

    low, high = bounds(place, grammar)
    low, high = min(max(low, place.value / REACH), place.value), max(min(high, place.value * REACH), place.value)
    if isinstance(place.value, int):
        return IntDistribution(math.ceil(low), math.floor(high), log=True)
    return FloatDistribution(low, high, log=True)


def _fits(
    constants: Sequence[float], parent: Sequence[float], space: dict[Literal, IntDistribution | FloatDistribution]
) -> bool:
    """Tell whether a member differs from the parent in the tuned constants only, and lies within their ranges."""
    tuned = {literal.index for literal in space}
    within = all(
        r.low <= constants[x.index] <= r.high and (isinstance(x.place.value, float) or constants[x.index].is_integer())
        for x, r in space.items()
    )
    return within and all(a == b for i, (a, b) in enumerate(zip(constants, parent)) if i not in tuned)


def _ask(
    space: dict[str, IntDistribution | FloatDistribution], known: Sequence[tuple[Sequence[float], float]], seed: int
) -> dict[str, int | float]:
    """Return the values that TPE proposes after these trials; the same seed and trials, the same values."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, multivariate=True, constant_liar=False)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    whole = {name for name, within in space.items() if isinstance(within, optuna.distributions.IntDistribution)}
    for constants, fitness in known:
        values = {name: int(constants[int(name)]) if name in whole else constants[int(name)] for name in space}
        study.add_trial(optuna.create_trial(params=values, distributions=dict(space), value=fitness))
    proposed = study.ask(dict(space)).params
    rounded = {name: min(max(float(f"{proposed[name]:.3g}"), space[name].low), space[name].high) for name in space}
    return {name: int(proposed[name]) if name in whole else rounded[name] for name in space}


def _near(a: Sequence[float], b: Sequence[float]) -> bool:
    """Tell whether the screen would refuse the one as a near duplicate of the other."""
    from evolve.screening.screen import close

    return all(map(close, a, b))
