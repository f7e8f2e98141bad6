"""A small archive that looks like a finished run, written through the public API; its scores are drawn, not measured.

python -m tests.support.example_run PATH [CHILDREN]
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

from archives.archive import Archive
from archives.grid import Bins
from archives.nouns import CallRecord, Elite, ExperimentRecord, MethodRecord, ProposalRecord, RunRecord, Usage
from fitness import pgr
from fitness.nouns import Direction, Evaluation, Interval, Score, Split, Status, Trial
from fitness.tasks import load

GRID = Bins(load("embedded").measures)
SEEDS = {
    "vanilla": 0.07, "vanilla_soft": 0.09, "confident": 0.13, "auxconf": 0.24, "selftrain": 0.34, "coteaching": 0.08,
    "noisychannel": 0.11, "gce": 0.12, "knn": 0.17, "zeroshot": 0.05, "earlystop": 0.10, "lda": 0.62,
}  # fmt: skip
DIRECTIONS = {
    "trust the confident": "Which of the teacher's labels deserve trust, and how would the student know?",
    "sharpen with time": "Targets that move from the teacher's towards the student's own as it learns.",
    "two views": "Two students that see different halves of the representation, and where they disagree.",
    "noise as a channel": "Treat the teacher as a noisy channel and invert it.",
    "geometry first": "What do the principal components say before any label is looked at?",
    "less is more": "What can be left out without loss?",
}
OPERATORS = ("recombine", "perturb", "insert", "remove", "simplify")
REFUSALS = (
    "line 9: the name 'softmax' is not defined",
    "the same method was already judged (5d2a9c11)",
    "it differs from 8c1f02aa by less than 2 % of its tokens",
)
FAILURES = (
    (Status.CRASHED, "RuntimeError: mat1 and mat2 shapes cannot be multiplied"),
    (Status.TIMED_OUT, "it ran longer than 30 s"),
)
SOURCE = '''"""{title}."""

import torch


def weigh(weak):
    """Weigh each example by how sure the teacher is."""
    sure = (weak - 0.5).abs().amax(1)
    return (sure > sure.quantile({quantile})).float(){power}


def targets(weak, head, x):
    """Mix the teacher's labels with the student's own."""
    own = weak if head is None else head(x)
    return {mix} * weak + {rest} * own


def method(problem):
    head = None
    for round in range({rounds}):
        labels = targets(problem.weak, head, problem.train_x)
        head = problem.student.fit(problem.train_x, labels, weigh(problem.weak), epochs={epochs}, lr={lr})
    return head(problem.test_x)[:, 1]
'''


@dataclass
class Made:
    """A method of the example: its record, its quality, and where it lies on the grid."""

    record: MethodRecord
    quality: float
    knobs: dict[str, object]
    agreement: float
    fitness: float | None = None
    parents: tuple[str, ...] = field(default=())


def build(path: Path, children: int = 40, seed: int = 1, finished: bool = True) -> Path:
    """Write the archive of a run of `children` proposals on three islands and return its path."""
    archive = Archive.create(path)
    rng = random.Random(seed)
    config = {
        "task": "embedded", "domain": "chat", "evals": children, "minutes": None, "usd": None, "islands": 3, "workers": 2,
        "model": [], "seed": seed,
    }  # fmt: skip
    with archive.transaction():
        made_at, level, version = "2026-03-02T10:15:00+00:00", "A", "0.1.0"
        facts = (path.stem, made_at, "embedded", "1-4f0c9a1e", "vault-3f", json.dumps(config), seed, "running", level, version)
        archive.add_run(RunRecord(*facts))
        for name, text in DIRECTIONS.items():
            archive.add_direction(Direction(name, text, ()))
        made = [_seed(archive, name, quality, rng) for name, quality in SEEDS.items()]
        humans = list(made)
        for number in range(1, children + 1):
            _child(archive, number, made, rng)
        archive.event("migration", "the best elite of island 0 moved to island 1", 1)
        archive.update_run(seconds=0.9 * children, engine_seconds=0.021 * children)
        if finished:
            _finish(archive, made, humans, rng)
    archive.close()
    return path


def _record(name: str, origin: str, knobs: dict[str, object]) -> MethodRecord:
    source = SOURCE.format(
        title=f"The method {name}" if name else "A child of the example", rest=f"{1 - float(str(knobs['mix'])):.2f}", **knobs
    )
    method = hashlib.sha256(json.dumps([name, knobs], sort_keys=True).encode()).hexdigest()
    nodes = 150 + 40 * int(str(knobs["rounds"])) + len(str(knobs["power"])) * 12
    return MethodRecord(method, source, nodes, name, origin, "[]", (0.5,), (1, 2, 3))


def _trials(method: str, quality: float, split: Split, domain: str, instances: int, rng: random.Random) -> tuple[Trial, ...]:
    trials = []
    for instance in range(instances):
        weak, strong = 0.59 + rng.gauss(0, 0.01), 0.98
        value = max(-0.5, min(1.0, quality + rng.gauss(0, 0.09)))
        accuracy = weak + value * (strong - weak)
        score = Score(value, 0.03, accuracy, weak, strong, 3000)
        measures = {"teacher_agreement": 0.8 - 0.2 * value}
        trials.append(Trial(method, "embedded", domain, instance, split, Status.OK, score, measures, 0.1 + rng.random() / 5))
    return tuple(trials)


def _judge(archive: Archive, made: Made, where: tuple[Split, str, int], proposal: int | None, rng: random.Random) -> None:
    """Store an evaluation of a method that works; below ten instances without an interval, as the race leaves it."""
    split, domain, instances = where
    trials = _trials(made.record.id, made.quality, split, domain, instances, rng)
    scores = [trial.score for trial in trials if trial.score]
    whole = instances >= 10
    fitness = pgr.fitness(scores) if whole and split is Split.DEV else None
    measures = {"teacher_agreement": made.agreement, "size": math.log2(made.record.nodes)}
    message = "" if whole or split is not Split.DEV else "stopped by the race: worse than the elite of its cell"
    evaluation = Evaluation(made.record.id, trials, Status.OK, fitness, measures, message)
    interval: Interval | None = pgr.interval(scores) if whole or split is not Split.DEV else None
    archive.add_evaluation(evaluation, proposal, domain, split, interval)
    if split is Split.DEV:
        made.fitness = fitness


def _place(archive: Archive, made: Made, island: int) -> str:
    if made.fitness is None:
        return "REJECTED"
    cell = GRID.cell({"teacher_agreement": made.agreement, "size": math.log2(made.record.nodes)})
    return archive.place(Elite(island, cell, made.record.id, made.fitness)).name


def _seed(archive: Archive, name: str, quality: float, rng: random.Random) -> Made:
    knobs: dict[str, object] = {
        "quantile": round(rng.random() / 2, 2), "power": "", "mix": 1.0, "rounds": rng.randint(1, 9), "epochs": 5, "lr": 1e-3,
    }  # fmt: skip
    made = Made(_record(name, "seed", knobs), quality, knobs, min(0.89, max(0.51, 0.84 - 0.3 * quality)))
    archive.add_method(made.record)
    _judge(archive, made, (Split.DEV, "chat", 10), None, rng)
    for island in range(3):
        _place(archive, made, island)
    archive.event("seed", f"{name}: PGR {quality:+.2f} on 10 dev instances", method=made.record.id)
    return made


def _child(archive: Archive, number: int, made: list[Made], rng: random.Random) -> None:
    """Propose, screen, judge and place one child; some are refused, some fail, some lose the race."""
    island, operator, direction = rng.randrange(3), rng.choice(OPERATORS), rng.choice(list(DIRECTIONS))
    pool = sorted(made, key=lambda one: one.quality, reverse=True)
    parents = tuple(rng.sample(pool[: max(6, len(pool) // 3)], 2 if operator == "recombine" else 1))
    parents = tuple(sorted(parents, key=lambda one: one.quality, reverse=True))
    prompt = f"Direction: {direction}\n\n{DIRECTIONS[direction]}\n\n{parents[0].record.source}"
    idea = f"{operator}: " + rng.choice(["weigh by the student's confidence", "one more round", "a softer mix", "a higher bar"])
    refused = rng.random() < 0.2
    proposal = ProposalRecord(
        number, island, operator, "", direction, tuple(one.record.id for one in parents), prompt, "", idea, "", rng.random(),
        "refused" if refused else "proposed", rng.choice(REFUSALS) if refused else "", None,
    )  # fmt: skip
    archive.add_proposal(proposal)
    if refused:
        return
    child = _breed(parents[0], number, rng)
    archive.add_method(child.record)
    fate = rng.random()
    if fate < 0.12:
        status, message = rng.choice(FAILURES)
        trial = Trial(child.record.id, "embedded", "chat", 0, Split.DEV, status, None, {}, 0.2, message)
        archive.add_evaluation(
            Evaluation(child.record.id, (trial,), status, None, {}, message), number, "chat", Split.DEV, None
        )
        archive.set_proposal_state(number, "done", method=child.record.id, placement="REJECTED")
        return
    _judge(archive, child, (Split.DEV, "chat", 2 if fate < 0.3 else 10), number, rng)
    archive.set_proposal_state(number, "done", method=child.record.id, placement=_place(archive, child, island))
    if child.fitness is not None and all(child.fitness > (one.fitness or -1) for one in made):
        archive.event(
            "best", f"new best {child.record.id[:8]}: dev PGR {child.quality:.2f} by {operator}", island, child.record.id
        )
    made.append(child)


def _breed(parent: Made, number: int, rng: random.Random) -> Made:
    knobs = dict(parent.knobs)
    knobs["quantile"] = round(min(0.9, max(0.0, float(str(knobs["quantile"])) + rng.uniform(-0.2, 0.2))), 3)
    knobs["mix"] = round(rng.uniform(0.3, 1.0), 2)
    knobs["rounds"] = max(1, int(str(knobs["rounds"])) + rng.choice([-2, -1, 1, 2]))
    knobs["power"] = rng.choice(["", " ** 2", " * weak.amax(1)", " * (1 - weak.std(1))"])
    knobs["epochs"] = 5 + number % 40
    knobs["lr"] = round(1e-3 * math.exp(rng.gauss(0, 0.5)), 6)
    quality = min(0.95, parent.quality + rng.gauss(0.01, 0.06))
    record = _record("", "search", knobs)
    return Made(record, quality, knobs, min(0.89, max(0.51, 0.84 - 0.3 * quality + rng.gauss(0, 0.03))))


def _finish(archive: Archive, made: list[Made], humans: list[Made], rng: random.Random) -> None:
    """Judge the champion and the seeds on fresh instances, then on the held-out domains, and store the verdict."""
    bred = [one for one in made if one.record.origin == "search" and one.fitness is not None]
    champion = max(bred, key=lambda one: one.fitness or -1.0)
    human = max(humans, key=lambda one: one.quality)
    for one in [champion, *humans]:
        _judge(archive, one, (Split.FRESH, "chat", 20), None, rng)
    for domain in ("math", "code", "digits"):
        for one in (champion, human):
            _judge(archive, one, (Split.FRESH, domain, 5), None, rng)
    scores = [
        [trial.score for trial in archive.trials(one.record.id, Split.FRESH, "chat") if trial.score]
        for one in (champion, human)
    ]
    mean, low = pgr.paired(scores[0], scores[1])
    word = "shown" if low > 0 else "not shown"
    verdict = (
        f"{word}: {champion.record.id[:8]} against the human best, {human.record.name}: PGR {mean:+.2f} on the same 20 fresh "
        f"instances, one-sided 95 % lower bound {low:+.2f}"
    )
    archive.event("verdict", verdict, None, champion.record.id, low)
    archive.update_run(champion=champion.record.id, human_best=human.record.id, verdict=verdict, state="finished")


def add_model_call(archive: Archive, number: int, parent: str, usd: float | None) -> None:
    """Add a refused proposal of a language model that cost money."""
    proposal = ProposalRecord(
        number, 0, "rewrite", "openai:tiny", next(iter(DIRECTIONS)), (parent,), "the prompt", "the reply", "an idea", None, 0.5,
        "refused", "the reply holds no code", None,
    )  # fmt: skip
    archive.add_proposal(proposal)
    archive.add_calls([CallRecord(number, 1, "the reply", "", Usage("openai:tiny", 1, 1200, 300, usd, 2.5))])


def add_experiment(archive: Archive, number: int, subject: str, label: str = "without the mask") -> None:
    """Add a variant of a method that a proposal tried."""
    trials = _trials("v" * 16, 0.4, Split.DEV, "chat", 2, random.Random(number))
    record = ExperimentRecord(number, subject, label, "v" * 16, "def method(problem):\n    return 1\n", Status.OK, "", trials)
    archive.add_experiments([record])


def add_hostile(archive: Archive, number: int, parent: str) -> str:
    """Add a judged method whose texts try to steer a terminal, a page and a Python header; return its id."""
    evil = "\x1b[31mred\x1b[0m\x07 <script>alert(1)</script> & \u202egnp.exe\nimport os  # \"'"
    source = 'def method(problem):\n    """\x1b]0;title\x07</pre><script>alert(2)</script>"""\n    return problem.weak[:, 1]\n'
    method = hashlib.sha256(source.encode()).hexdigest()
    archive.add_method(MethodRecord(method, source, 40, evil, "search", "[]", (), ()))
    archive.add_direction(Direction(evil, evil, (), evil, evil))
    proposal = ProposalRecord(
        number, 0, "rewrite", "openai:tiny", evil, (parent,), evil, evil, evil, source, 0.5, "done", "", method
    )
    archive.add_proposal(proposal)
    archive.add_calls([CallRecord(number, 1, evil, evil, Usage("openai:tiny", 1, 10, 10, 0.25, 1.0))])
    made = Made(MethodRecord(method, source, 40, evil, "search", "[]", (), ()), 0.99, {}, 0.55)
    _judge(archive, made, (Split.DEV, "chat", 10), number, random.Random(0))
    archive.place(Elite(0, 0, method, 0.98))
    failed = Evaluation(method, (), Status.CRASHED, None, {}, evil)
    archive.add_evaluation(failed, None, "math", Split.FRESH, None)
    archive.event("best", evil, 0, method)
    return method


if __name__ == "__main__":
    print(build(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40))
