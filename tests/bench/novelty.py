"""Novelty on and off: `python -m tests.bench.novelty [PROPOSALS] [SEEDS]`.

The real selection, screen and parser, the human baselines as seeds, and a model that answers with its favourite idea plus
noise: it puts that idea on the first parent, or other constants into it where it is there already; one answer in five follows
the prompt's direction instead. The judge is a stub: cell and fitness follow from the method's structure, and each idea is worth
something of its own.

Both runs have the same seed and as many proposals, refused ones included. Measured are the directions of accepted methods
(those that passed the screen): their entropy in bits, and the number of directions that are effectively in use, 2 to the
entropy (Jost 2006: unlike bits, twice as diverse is twice the number). And distinct accepted methods: structures that were
judged, for other constants in the same code are no new idea. On one island novelty alone must spread the twelve directions;
several islands hold different ones, which spreads them (by log2 of the islands) whatever novelty does.
"""

from __future__ import annotations

import math
import random
import sys
from dataclasses import dataclass

from archives.grid import Grid
from archives.nouns import Elite, MethodRecord, Usage
from evolve.baselines import FOLDER
from evolve.config import Config
from evolve.directions import DIRECTIONS
from evolve.novelty import entropy
from evolve.screen import Screen
from evolve.select import Choice, Lesson, Selector, Source
from evolve.syntax import Syntax
from fitness.tasks import load

FAVOURITE = "temper"
LOYAL = 0.8  # share of answers that are the favourite idea
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
    """What a run came to: entropy of the directions in bits, structures judged, methods judged."""

    bits: float
    distinct: int
    accepted: int


def answer(source: str, choice: Choice, rng: random.Random) -> str:
    """Return the model's child of a source: its favourite idea, or now and then the direction's; other constants if done."""
    idea = FAVOURITE
    if rng.random() >= LOYAL:
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

    def __init__(self, screen: Screen, islands: int, novelty: float, seed: int) -> None:
        sources = [Source("rewrite", 1, "scripted"), Source("diff", 1, "scripted"), Source("cross", 2, "scripted")]
        self.selector = Selector(islands, sources, DIRECTIONS, novelty)
        self.screen, self.seed = screen, seed
        self.methods: dict[str, MethodRecord] = {}
        self.grid = Grid(load("embedded").measures)
        self.accepted: list[tuple[str, str]] = []  # structure and direction
        for path in sorted(FOLDER.glob("*.py")):
            method = screen.check(path.read_bytes(), path.stem, "seed").method
            assert method is not None
            self._remember(method)
            for island in range(islands):
                self.selector.place(self.judged(method, island))

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
        child = answer(self.methods[choice.parents[0]].source, choice, random.Random(f"{self.seed}/answer/{number}"))
        usage = Usage("scripted", 1, len(child) // 4, len(child) // 4)
        method = self.screen.check(child).method
        if method is None:
            self.selector.learn(choice, Lesson(False, 0.0, usage))
            return
        self._remember(method)
        self.selector.child(method)
        self.accepted.append((method.structure, choice.direction.name))
        elite = self.judged(method, choice.island)
        now = self.selector.elites[choice.island].get(elite.cell)
        placed = now is None or elite.fitness > now.fitness
        if placed:
            self.selector.place(elite)
        parent = self.judged(self.methods[choice.parents[0]], choice.island)
        gain = max(0.0, elite.fitness - parent.fitness) if placed else 0.0
        self.selector.learn(choice, Lesson(placed, gain, usage, method.id))

    def _remember(self, method: MethodRecord) -> None:
        self.screen.remember(method)
        self.methods[method.id] = method
        self.selector.sketches[method.id] = method.sketch

    def outcome(self) -> Outcome:
        """Return what it came to."""
        bits = entropy(direction for _, direction in self.accepted)
        return Outcome(bits, len({structure for structure, _ in self.accepted}), len(self.accepted))


def run(syntax: Syntax, islands: int, novelty: float, proposals: int, seed: int) -> Outcome:
    """Search with a weight of novelty."""
    bench = Bench(Screen(syntax), islands, novelty, seed)
    for number in range(1, proposals + 1):
        bench.propose(number)
    return bench.outcome()


def main() -> None:
    """Run the benchmark."""
    proposals, seeds = (int(text) for text in (*sys.argv[1:], "240", "5")[:2])
    on = Config().novelty
    with Syntax() as syntax:
        for islands in ISLANDS:
            pairs = [[run(syntax, islands, novelty, proposals, seed) for novelty in (0.0, on)] for seed in range(seeds)]
            print(f"{islands} island(s), {proposals} proposals, novelty 0 -> {on:g}, by seed")
            lines = (
                ("direction entropy, bits", [[o.bits for o in pair] for pair in pairs]),
                ("directions in use", [[2**o.bits for o in pair] for pair in pairs]),
                ("distinct methods", [[float(o.distinct) for o in pair] for pair in pairs]),
            )
            for name, numbers in lines:
                each = ", ".join(f"{a:.3g} -> {b:.3g}" for a, b in numbers)
                before, after = (sum(column) for column in zip(*numbers))
                print(f"  {name:24} {each}; mean ratio {after / before:.2f}")


if __name__ == "__main__":
    main()
