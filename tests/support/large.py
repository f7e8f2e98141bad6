"""A large archive that looks like a run of language models on three islands: `python -m tests.support.large METHODS PATH`.

Sources are the human baselines with other constants, prompts and replies are as long as recorded ones, and scores are drawn.
It lacks nothing that a resume reads, and was scored, as far as it says, with the vault that is here.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archives.archive import Archive
from archives.grid import Bins
from archives.nouns import RunRecord
from evolve.config import Config
from evolve.runs.seeds import collect
from evolve.screening.canonical import SKETCH, canonical
from evolve.text import short
from fitness.nouns import Direction
from fitness.tasks import load
from fitness.tasks.directions import DIRECTIONS
from fitness.vault.vault import Vault

BATCH = 2000  # children in one transaction
SHARES = {"done": 0.81, "refused": 0.17, "unanswered": 0.02}
MODELS = {"openai:large": 0.012, "openai:small": 0.0009, "anthropic:large": 0.015, "local:own": None}  # dollars a call
OPERATORS = ("rewrite", "edit", "cross", "explain", "simplify", "perturb", "recombine")
OFFLINE = 0.25
IDEAS = (
    "weigh each example by how sure the student is of it, and let the weight grow with the epochs",
    "two students that see different halves of the representation teach each other where they agree",
    "whiten first, then read the direction along which the teacher's labels change most",
    "drop the loss on examples where teacher and student have disagreed for three epochs in a row",
    "a softer target for the examples near the boundary",
)
REFUSALS = (
    "the reply has no fenced block of code",
    "it is the same method as {one}",
    "it differs from {one} only in constants, each by less than 5 %",
    "line 31: the name 'softmax' is not defined",
    "line 4: a method may not import os",
)
PROBES = ("determinism", "constant", "rows", "shuffle", "swap", "frame", "canary")
NUMBER = re.compile(r"(?<![\w.'\"])(\d+\.\d+(?:e-?\d+)?|\d{2,})(?![\w.'\"])")
TOLD = """# Direction

> {direction}

# Parents

Fresh numbers are not shown; a rung is the best that is known of a method.

```python
{source}
```

# What was tried nearby

{failures}

# Task

Change the method. Say in one line what the idea is (IDEA: ...), then give the whole file in one fenced block.
{brief}
"""


@dataclass
class Made:
    """A method that can be a parent."""

    id: str
    source: str
    nodes: int
    structure: str
    sketch: list[int]
    quality: float
    lineage: str
    fitness: float = -1.0
    trail: list[str] = field(default_factory=list)


class Drawn:
    """Draws one child after the other, and keeps what it has drawn as rows, table by table."""

    def __init__(self, archive: Archive, methods: int, seed: int) -> None:
        self.archive, self.methods, self.rng = archive, methods, random.Random(seed)
        self.task = load("embedded")
        self.grid, self.clock = Bins(self.task.measures), 1_780_000_000.0
        self.rows: dict[str, list[dict[str, object]]] = {}
        self.elites: dict[tuple[int, int], tuple[Made, str]] = {}
        self.numbers = dict.fromkeys(("proposals", "evaluations", "spend"), 0)
        self.made: list[Made] = []
        self.directions = list(DIRECTIONS)
        self.best = -1.0

    @property
    def now(self) -> str:
        """The time of what is being drawn."""
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.clock))

    def add(self, table: str, **row: object) -> None:
        """Keep a row."""
        self.rows.setdefault(table, []).append(row)

    def flush(self) -> None:
        """Store what is kept, what others refer to first."""
        made = {row["name"]: row.pop("proposal") for row in self.rows.get("directions", ())}
        order = ("methods", "directions", "proposals", "evaluations")
        with self.archive.transaction():
            for table in sorted(self.rows, key=lambda name: order.index(name) if name in order else len(order)):
                self.archive.insert_all(table, self.rows[table])
            for name, proposal in made.items():
                self.archive.update("directions", "name", name, {"proposal": proposal})
        self.rows.clear()

    def seeds(self) -> None:
        """Keep the human baselines, judged and placed on every island."""
        self.add("journal", step="session", proposal=None, method=None, config=self.archive.run().config)
        for seed in collect():
            source = seed.source.decode()
            facts = canonical(source)
            made = Made(facts.id, source, facts.nodes, facts.structure, list(facts.sketch), 0, facts.id)
            made.quality = self.rng.uniform(0.05, 0.5)
            self._method(made, seed.name, "seed", facts.constants)
            self._judge(made, None, "OK", 10)
            for island in range(3):
                self._place(made, island)
            self.add("journal", step="seed", proposal=None, method=made.id, config=None)
            self._event("seed", f"{seed.name}: PGR {made.quality:+.2f} on 10 dev instances", None, made.id)
            self.made.append(made)

    def child(self) -> None:
        """Keep one proposal and what became of it."""
        rng, number = self.rng, self._next("proposals")
        self.clock += rng.uniform(1, 9)
        island, offline = rng.randrange(3), rng.random() < OFFLINE
        operator = rng.choice(OPERATORS[4:] if offline else OPERATORS[:4])
        model = "" if offline else rng.choice(list(MODELS))
        direction = rng.choice(self.directions[-30:])
        parents = [self._parent(island)]
        if operator in ("cross", "recombine"):
            parents.append(rng.choice(self.made[-500:]))
        state = rng.choices(list(SHARES), list(SHARES.values()))[0]
        state = "refused" if offline and state == "unanswered" else state
        child, constants = self._breed(parents[0], number)
        idea = f"{operator}: other constants" if offline else f"{rng.choice(IDEAS)} ({number})"
        reply = "" if offline or state == "unanswered" else f"IDEA: {idea}\n\n```python\n{child.source}```\n"
        for step in ("select", "propose") if state == "unanswered" else ("select", "propose", "screen"):
            self.add("journal", step=step, proposal=number, method=None, config=None)
        reason = {"refused": rng.choice(REFUSALS).format(one=short(parents[0].id)), "unanswered": "it timed out", "done": ""}
        row: dict[str, object] = {"id": number, "island": island, "operator": operator, "model": model}
        row |= {"direction": direction.name, "parents": json.dumps([one.id for one in parents])}
        row |= {"prompt": "" if offline else self._prompt(direction, parents), "reply": reply, "idea": idea}
        row |= {"source": None if state == "unanswered" else child.source, "novelty": rng.random(), "state": state}
        row |= {"inspirations": json.dumps([rng.choice(self.made[-200:]).id for _ in range(2)])}
        row |= {"reason": reason[state], "method": None, "placement": None, "gain": None, "created": self.now, "fixes": None}
        self.rows.setdefault("proposals", []).append(row)
        if model:
            self._spend(number, model, reply, len(str(row["prompt"])))
        if state == "done":
            self._method(child, "", "search", constants)
            self._judged(child, island, row)
            if rng.random() < 0.012 and model:
                self._redirect(direction, model, number, island)

    def finish(self) -> None:
        """Keep the elites and a handful of findings."""
        for (island, cell), (made, placed) in sorted(self.elites.items()):
            self.add("elites", island=island, cell=cell, method=made.id, fitness=made.fitness, placed=placed)
        for number in range(6):
            self.add("findings", title=f"finding {number}", text=IDEAS[number % len(IDEAS)], author="ann", at=self.now)
        self.flush()

    def _judged(self, child: Made, island: int, row: dict[str, object]) -> None:
        rng, number = self.rng, int(str(row["id"]))
        status = rng.choices(["OK", "CRASHED", "TIMED_OUT", "INVALID"], [93, 4, 2, 1])[0]
        trials = 10 if rng.random() < 0.8 else rng.randint(2, 9)
        self.add("journal", step="judge", proposal=number, method=None, config=None)
        self._judge(child, number, status, trials if status == "OK" else 1)
        row |= {"method": child.id, "gain": 0.0, "placement": "REJECTED"}
        if status != "OK" or trials < 10:
            return
        if rng.random() < 0.6:
            self.add("journal", step="probe", proposal=number, method=None, config=None)
            if self._probe(child):
                return
        row["placement"] = self._place(child, island)
        if row["placement"] == "REJECTED":
            return
        row["gain"] = max(0.0, child.fitness - max(0.0, child.fitness - rng.random() / 10))
        self.made.append(child)
        if child.fitness > self.best:
            self.best = child.fitness
            self._event("best", f"new best {short(child.id)}: dev PGR {child.quality:.2f}", island, child.id)

    def _parent(self, island: int) -> Made:
        if self.rng.random() < 0.05:
            return self.rng.choice(self.made)
        mine = [made for made, _ in (self.elites[key] for key in self._keys if key[0] == island)] if self._keys else self.made
        return max(self.rng.sample(mine, min(3, len(mine))), key=lambda made: made.quality)

    @property
    def _keys(self) -> list[tuple[int, int]]:
        return list(self.elites)

    def _breed(self, parent: Made, number: int) -> tuple[Made, tuple[float, ...]]:
        rng = self.rng
        source = NUMBER.sub(lambda found: f"{float(found[0]) * rng.uniform(0.6, 1.6):.4g}", parent.source)
        head, _, body = source.partition("\n")
        source = f"{head}\n# child {number}\n" + re.sub(r"^(# child \d+\n)+", "", body)
        sketch, structure = list(parent.sketch), parent.structure
        if rng.random() < 0.4:
            for place in rng.sample(range(SKETCH), 6):
                sketch[place] = rng.getrandbits(32)
            structure = f"{rng.getrandbits(64):016x}"
        identity = hashlib.sha256(source.encode()).hexdigest()[:16]
        nodes = max(130, min(1000, parent.nodes + rng.randint(-25, 27)))
        quality = parent.quality + (0.95 - parent.quality) * min(0.3, rng.gauss(-0.05, 0.1))
        constants = tuple(float(one) for one in NUMBER.findall(source)[:40])
        return Made(identity, source, nodes, structure, sketch, quality, parent.lineage), constants

    def _method(self, made: Made, name: str, origin: str, constants: tuple[float, ...]) -> None:
        row: dict[str, object] = {"id": made.id, "source": made.source, "nodes": made.nodes, "origin": origin}
        row |= {"name": name or short(made.id), "structure": made.structure, "constants": json.dumps(constants)}
        self.add("methods", **row, sketch=json.dumps(made.sketch), flags="", created=self.now)

    def _judge(self, made: Made, proposal: int | None, status: str, trials: int) -> None:
        rng, number, ok = self.rng, self._next("evaluations"), status == "OK"
        message = "" if ok else {"CRASHED": "RuntimeError: mat1 and mat2 shapes cannot be multiplied (4000x64 and 256x2)"}.get(
            status, "it ran longer than 30 s" if status == "TIMED_OUT" else "line 22: it returned NaN"
        )  # fmt: skip
        agreement, pgrs = min(0.755, max(0.505, 0.74 - 0.18 * made.quality + rng.gauss(0, 0.03))), list[float]()
        for place in range(trials):
            weak, pgr, seconds = 0.59 + rng.gauss(0, 0.01), made.quality + rng.gauss(0, 0.08), rng.uniform(0.1, 0.5)
            pgrs.append(pgr)
            row: dict[str, object] = {"pgr": pgr, "stderr": 0.023, "transfer_acc": weak + pgr * (0.98 - weak)}
            row |= {"weak_acc": weak, "strong_acc": 0.98, "n": 3000}
            place_ = {"evaluation": number, "place": place, "domain": "chat", "instance": place, "split": "dev"}
            end = {"measures": f'{{"teacher_agreement": {agreement:.4f}}}', "seconds": seconds, "message": message}
            self.add("trials", **place_, status=status, **(row if ok else dict.fromkeys(row)), **end)
        whole, mean = ok and trials == 10, sum(pgrs) / len(pgrs)
        spread = math.sqrt(sum((pgr - mean) ** 2 for pgr in pgrs) / max(1, len(pgrs) - 1) / len(pgrs))
        made.fitness = mean - spread if whole else -1.0
        made.trail = [f"{agreement:.4f}", f"{math.log2(made.nodes):.4f}"]
        measures = {"teacher_agreement": agreement, "size": math.log2(made.nodes)} if ok else {}
        row = {"id": number, "method": made.id, "proposal": proposal, "domain": "chat", "split": "dev", "status": status}
        row |= {"fitness": made.fitness if whole else None, "pgr": mean if ok else None, "trials": trials}
        row |= {"pgr_low": mean - 1.6 * spread if whole else None, "pgr_high": mean + 1.6 * spread if whole else None}
        row |= {"measures": json.dumps(measures), "seconds": 0.3 * trials, "message": message, "created": self.now}
        self.add("evaluations", **row)
        look = {"method": made.id, "lineage": made.lineage, "domain": "chat", "split": "dev", "instances": trials}
        for who in ("engine", *(rng.sample(sorted(MODELS), 2) if ok and rng.random() < 0.4 else ())):
            why = "selection on dev instances" if who == "engine" else "a brief"
            self.add("looks", who=who, **look, why=why, answer=0.64, at=self.now)

    def _probe(self, made: Made) -> bool:
        """Keep what the probes found; tell whether one failed."""
        failed = self.rng.choice(PROBES) if self.rng.random() < 0.01 else ""
        for probe in PROBES:
            row: dict[str, object] = {"method": made.id, "domain": "chat", "split": "dev", "instance": 0, "probe": probe}
            row |= {"verdict": "FAILED" if probe == failed else "PASSED", "number": self.rng.random() / 9, "threshold": 0.5}
            self.add("probes", **row, sentence=f"{probe} changed a share of the answers that is as it should be", at=self.now)
        if failed:
            next(row for row in reversed(self.rows["methods"]) if row["id"] == made.id)["flags"] = failed
            self._event("flag", f"{short(made.id)} is flagged by {failed}", None, made.id)
        return bool(failed)

    def _place(self, made: Made, island: int) -> str:
        if made.fitness == -1.0:
            return "REJECTED"
        cell = self.grid.cell(dict(zip(("teacher_agreement", "size"), map(float, made.trail))))
        known = self.elites.get((island, cell))
        if known and known[0].fitness >= made.fitness:
            return "REJECTED"
        self.elites[island, cell] = made, self.now
        return "IMPROVED" if known else "NEW"

    def _prompt(self, direction: Direction, parents: list[Made]) -> str:
        failures = "\n".join(f"- {idea}: judged, and not placed" for idea in IDEAS[:4])
        source = "\n".join(one.source for one in parents)
        return TOLD.format(direction=direction.text, source=source, failures=failures, brief=self.task.brief[:2500])

    def _spend(self, proposal: int, model: str, reply: str, length: int) -> None:
        price, rng = MODELS[model], self.rng
        row: dict[str, object] = {"proposal": proposal, "kind": "model", "model": model, "calls": 1, "tokens_in": length // 4}
        row |= {"tokens_out": len(reply) // 3, "usd": price and price * rng.uniform(0.7, 1.4), "seconds": rng.uniform(2, 30)}
        row |= {"cached": length // 8, "reasoning": 0, "turn": 1, "reply": reply, "problem": "" if reply else "it timed out"}
        self.add("spend", **row, worst_tokens=20_000, worst_usd=price and 3 * price, at=self.now)

    def _redirect(self, old: Direction, model: str, proposal: int, island: int) -> None:
        name = f"{old.name.split('-')[0]}-{proposal}"
        new = Direction(name, f"Look once more at {old.name}.\n{self.rng.choice(IDEAS)}?", old.focus, model, old.name)
        self.directions.append(new)
        self.add("directions", **(vars(new) | {"focus": json.dumps(new.focus), "proposal": proposal}))
        self._event("direction", f"a new direction, {name}: {new.text}", island)

    def _event(self, kind: str, text: str, island: int | None = None, method: str | None = None) -> None:
        self.add("events", kind=kind, text=text, island=island, method=method, value=None, at=self.now)

    def _next(self, table: str) -> int:
        self.numbers[table] += 1
        return self.numbers[table]


def batches(drawn: Drawn) -> Iterator[int]:
    """Draw and store children until there are enough methods; yield how many there are."""
    bred = 0
    while bred < drawn.methods:
        drawn.child()
        bred = drawn.numbers["evaluations"]
        if drawn.numbers["proposals"] % BATCH == 0:
            drawn.flush()
            yield bred


def build(path: Path, methods: int, seed: int = 1, state: str = "interrupted") -> Path:
    """Write an archive of so many methods and return its path."""
    archive, task = Archive.create(path), load("embedded")
    archive._db.execute("pragma cache_size = -500000")  # in KB
    config = Config(evals=methods + 100, model=tuple(MODELS), seed=seed, workers=2)
    made_at, level = "2026-05-28T20:26:40+00:00", "A"
    facts = (path.stem, made_at, task.name, task.version, Vault().fingerprint, config.model_dump_json(), seed, state, level)
    archive.add_run(RunRecord(*facts, "0.1.0", system=task.brief, seconds=3.1 * methods, engine_seconds=0.01 * methods))
    for direction in DIRECTIONS:
        archive.add_direction(direction)
    drawn = Drawn(archive, methods, seed)
    drawn.seeds()
    drawn.flush()
    for bred in batches(drawn):
        print(f"\r{bred:,} of {methods:,} methods", end="", file=sys.stderr)
    drawn.finish()
    archive.close()
    return path


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tests.support.large METHODS PATH")
    began = time.perf_counter()
    where = build(Path(sys.argv[2]), int(sys.argv[1]))
    print(f"\n{where}: {where.stat().st_size / 1e6:.0f} MB in {time.perf_counter() - began:.1f} s")
