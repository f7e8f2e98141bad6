"""Searches the simulated world with the simulated researcher under a kind of disclosure.

Selection, prompts, operators, screen, judge, race, islands, archive and final evaluation are the program's own; the sandbox and
the model are simulated (simulated_world.py, simulated_researcher.py).
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from archives.archive import Archive
from archives.grid import Bins
from evolve import operators
from evolve.budget import Budget, Limit
from evolve.config import Config, resolve
from evolve.nouns import Model
from evolve.prompting.disclosure import DisclosureKind
from evolve.runs import session
from evolve.runs.forecast import system_text
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from evolve.search.context import Judging, RunContext, wanted_instances
from fitness.judge import Judge
from tests.support import simulated
from tests.support.simulated import Found, Silent, begin, found_in, open_vault
from tests.support.simulated_researcher import NAME
from tests.support.simulated_world import DOMAINS, World, WorldSandbox, draw, recipe_of, source

FRESH = 10  # fresh instances of each domain
OPERATORS = ("rewrite", "explain", "cross")
TASK = replace(simulated.TASK, search_domains=DOMAINS)


@dataclass(frozen=True)
class Guided:
    """One search in a world.

    Attributes:
        found: the champion on dev and on fresh instances.
        truths: the true PGR, over both domains, of the fittest method after each evaluation.
        best: that of the best recipe there is.
    """

    found: Found
    truths: tuple[float, ...]
    best: float

    def reached(self, share: float) -> int | None:
        """Return after how many evaluations the fittest method was worth this share of the best; None if it never was."""
        return next((number for number, truth in enumerate(self.truths, 1) if truth >= share * self.best), None)


def search(folder: Path, world: World, model: Model, disclosure: DisclosureKind = "card", evals: int = 120) -> Guided:
    """Search a world; the same world and model find the same."""
    seed, domains = world.seed, "+".join(DOMAINS)
    given = {"task": TASK.name, "domain": domains, "seed": seed, "evals": evals, "offline_share": 0.0}
    config = resolve(
        given, {"workers": 1, "calls": 1, "held_out_instances": 0, "disclosure": disclosure, "fresh_instances": FRESH}
    )
    vault = open_vault(folder, TASK, seed, wanted_instances(TASK, config), draw)
    with contextlib.closing(Archive.create(folder / "run.db")) as archive, WorkerProcess() as worker:
        screen, stop = Screen(worker), threading.Event()
        begin(archive, config, TASK, vault, screen, [source(recipe) for recipe in world.baselines])
        judging = Judging(TASK, Judge(TASK, vault, WorldSandbox(world), partial(vault.load, TASK), stop), worker, stop)
        ending = session._session(_context(config, archive, judging, screen, model), simulated.NO_SANDBOX)
        return Guided(found_in(archive, ending), _truths(archive, world), world.best)


def _context(config: Config, archive: Archive, judging: Judging, screen: Screen, model: Model) -> RunContext:
    table = {name: operators.load(name) for name in OPERATORS}
    return RunContext(
        config, archive, judging, screen, Budget(Limit(config.evals)), Bins(TASK.measures), Silent(), table, {NAME: model},
        system_text(TASK, config.domains),
    )  # fmt: skip


def _truths(archive: Archive, world: World) -> tuple[float, ...]:
    """Return what the fittest method so far was worth after each evaluation of a child."""
    rows = archive.rows(
        "select m.source, m.origin, e.fitness from evaluations e join methods m on m.id = e.method "
        "where e.split = 'dev' order by e.id"
    )
    truths, best, worth = [], float("-inf"), 0.0
    for row in rows:
        fitness, recipe = row["fitness"], recipe_of(str(row["source"]))
        if isinstance(fitness, float) and fitness > best and recipe is not None:
            best, worth = fitness, float(world.truth(recipe).mean())
        if row["origin"] == "search":
            truths.append(worth)
    return tuple(truths)
