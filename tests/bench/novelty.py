"""Novelty on and off: `python -m tests.bench.novelty [PROPOSALS] [SEEDS] [FIRST SEED]`.

The real selection, screen and parser, the human baselines as seeds, and a model that answers with its favourite idea plus
noise: it puts that idea on the first parent, or other constants into it where it is there already; a loyal one does so always,
others follow the prompt's direction in one answer of ten, or of five. The judge is a stub: cell and fitness follow from the
method's structure, and each idea is worth something of its own.

Both runs have the same seed and as many proposals, refused ones included. Measured are the entropy of directions in bits, of
the last 60 prompts as `status` shows it (its mean over the run) and of all accepted methods (those that passed the screen); and
distinct accepted methods: structures that were judged, for other constants in the same code are no new idea. Twelve directions
have at most 3.58 bits. Several islands hold different ones, which spreads them by log2 of the islands whatever novelty does, so
the entropy within islands (of directions given the island) stands beside: that is what novelty can change.
"""

from __future__ import annotations

import math
import random
import sys
from dataclasses import dataclass, fields
from itertools import product
from statistics import mean

from archives.grid import Bins
from archives.nouns import Elite, MethodRecord, Usage
from evolve.config import Config
from evolve.islands.islands import Islands
from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from evolve.selection.choice import Choice, Proposer, Reward
from evolve.selection.novelty import RECENT, entropy
from evolve.selection.selector import Selector
from fitness.tasks import load
from fitness.tasks.directions import DIRECTIONS
from fitness.tasks.task import SEEDS

FAVOURITE = "temper"
LOYALTIES = (1.0, 0.9, 0.8)  # shares of answers that are the favourite idea
ISLANDS = (1, 3)
IDEAS = {
    "temper": "({x}) ** {c}",
    "sharpen": "torch.sigmoid({c} * (({x}) - 0.5))",
    "clip": "({x}).clamp({c} / 10, 1 - {c} / 10)",
    "centre": "({x}) - ({x}).mean() * {c}",
    "vote": "(({x}) > {c} / 2).float()",
    "rank": "({x}).argsort().argsort() * {c}",
    "smooth": "({x}) * {c} + (1 - {c}) * 0.5",
    "invert": "1 - (1 - ({x})) ** {c}",
    "norm": "({x}) / (({x}).abs().max() + {c})",
    "tanh": "torch.tanh(({x}) * {c})",
    "log": "torch.log1p(({x}).clamp(min=0) * {c})",
    "square": "({x}) * ({x}) * {c}",
}
NAMES = tuple(IDEAS)


@dataclass(frozen=True)
class Outcome:
    """What a run came to: entropy in bits of recent directions, of accepted methods', of those within islands; structures."""

    recent: float
    accepted: float
    within: float
    distinct: float


def answer(source: str, choice: Choice, loyal: float, rng: random.Random) -> str:
    """Return the model's child of a source: its favourite idea, or now and then the direction's; other constants if done."""
    idea = FAVOURITE
    if rng.random() >= loyal:
        idea = NAMES[[d.name for d in DIRECTIONS].index(choice.direction.name)]
    constant = f"{math.exp(rng.gauss(0, 0.5)):.2f}"
    mark = f"    {idea} = "
    lines = source.rstrip("\n").split("\n")
    for place, line in enumerate(lines):
        if line.startswith(mark):
            lines[place] = f"{mark}{constant}"
            return "\n".join(lines) + "\n"
    start = max(place for place, line in enumerate(lines) if line.startswith("    return "))
    before = " ".join(line.strip() for line in lines[start:]).removeprefix("return ")
    lines[start:] = [f"{mark}{constant}", f"    return {IDEAS[idea].format(x=before, c=idea)}"]
    return "\n".join(lines) + "\n"


class Bench:
    """A search, one proposal at a time."""

    def __init__(self, screen: Screen, islands: int, novelty: float, loyal: float, seed: int) -> None:
        sources = [Proposer("rewrite", 1, "scripted"), Proposer("diff", 1, "scripted"), Proposer("cross", 2, "scripted")]
        self.islands = Islands(islands, Bins(load("embedded").measures))
        self.selector = Selector(self.islands, [], sources, DIRECTIONS, novelty)
        self.screen, self.loyal, self.seed = screen, loyal, seed
        self.methods: dict[str, MethodRecord] = {}
        self.grid = Bins(load("embedded").measures)
        self.accepted: list[tuple[str, str, int]] = []  # structure, direction and island
        self.entropies: list[float] = []  # of the recent directions, once there are as many as are remembered
        for path in sorted(SEEDS.glob("*.py")):
            method = screen.check(path.read_bytes(), path.stem, "seed").method
            assert method is not None
            self._remember(method)
            for island in range(islands):
                self.islands.place(self.judged(method, island))

    def judged(self, method: MethodRecord, island: int) -> Elite:
        """Return a method as an elite of an island, if it is one: fitness and cell follow from its structure and constants."""
        shape, fine = random.Random(f"{self.seed}/{method.structure}"), random.Random(method.id)
        measures = {"teacher_agreement": shape.uniform(0.5, 0.76), "size": math.log2(method.nodes)}
        worth = sum(random.Random(f"{self.seed}/{idea}").gauss(0, 0.05) for idea in NAMES if f"    {idea} = " in method.source)
        return Elite(island, self.grid.cell(measures), method.id, shape.gauss(0.4, 0.1) + worth + fine.gauss(0, 0.02))

    def propose(self, number: int) -> None:
        """Take one proposal round."""
        choice = self.selector.choose(number, None, random.Random(f"{self.seed}/select/{number}"))
        self.selector.used(choice)
        if number >= RECENT:
            self.entropies.append(self.selector.recent.entropy)
        rng = random.Random(f"{self.seed}/answer/{number}")
        child = answer(self.methods[choice.parents[0]].source, choice, self.loyal, rng)
        usage = Usage("scripted", 1, len(child) // 4, len(child) // 4)
        method = self.screen.check(child).method
        if method is None:
            self.selector.learn(choice, Reward(False, 0.0, usage))
            return
        self._remember(method)
        self.accepted.append((method.structure, choice.direction.name, choice.island))
        elite = self.judged(method, choice.island)
        now = self.islands[choice.island].get(elite.cell)
        placed = now is None or elite.fitness > now.fitness
        if placed:
            self.islands.place(elite)
        parent = self.judged(self.methods[choice.parents[0]], choice.island)
        gain = max(0.0, elite.fitness - parent.fitness) if placed else 0.0
        self.selector.learn(choice, Reward(placed, gain, usage, method.id))

    def _remember(self, method: MethodRecord) -> None:
        self.screen.remember(method)
        self.methods[method.id] = method
        self.selector.child(method)

    def outcome(self) -> Outcome:
        """Return what it came to."""
        structures, directions, islands = zip(*self.accepted)
        accepted, joint = entropy(directions), entropy(map(str, zip(directions, islands)))
        return Outcome(mean(self.entropies), accepted, joint - entropy(map(str, islands)), len(set(structures)))


def run(syntax: WorkerProcess, islands: int, novelty: float, loyal: float, proposals: int, seed: int) -> Outcome:
    """Search with a weight of novelty."""
    judging = Bench(Screen(syntax), islands, novelty, loyal, seed)
    for number in range(1, proposals + 1):
        judging.propose(number)
    return judging.outcome()


def main() -> None:
    """Run the benchmark."""
    proposals, seeds, first = (int(text) for text in (*sys.argv[1:], *("240", "5", "0")[len(sys.argv) - 1 :]))
    weights = (0.0, Config().novelty)
    print(f"{proposals} proposals, seeds {first} to {first + seeds - 1}, novelty off -> on ({weights[1]:g}): means, and ratio")
    with WorkerProcess() as syntax:
        for islands, loyal in product(ISLANDS, LOYALTIES):
            runs = [[run(syntax, islands, weight, loyal, proposals, first + s) for s in range(seeds)] for weight in weights]
            cells = []
            for field in fields(Outcome):
                off, on = (mean(getattr(outcome, field.name) for outcome in outcomes) for outcomes in runs)
                cells.append(f"{field.name} {off:.3g} -> {on:.3g} ({on / off:.2f}x)")
            print(f"  {islands} island(s), favourite idea in {loyal:.0%}: {', '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
