"""Reads the human baselines in seeds/ and a user's own files as text, and adds a file to a run."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archives.archive import Archive
from archives.nouns import Look, MethodRecord
from evolve import executors
from evolve.config import Config
from evolve.errors import UsageError
from evolve.executors.job import Job
from evolve.files import read_regular
from evolve.grids import grid_of
from evolve.islands.islands import offer_to_all_islands
from evolve.observer import Observer
from evolve.runs.checks import check_origin, known_executor, record_weak_walls, stored_config
from evolve.runs.resources import JudgeResources, judge_resources
from evolve.screening.screen import MAX_BYTES, Screen
from evolve.screening.worker import WorkerProcess
from evolve.search.context import dev_instances
from evolve.selection.strategies import populations
from evolve.text import count, short
from fitness import pgr, tasks
from fitness.nouns import Evaluation, Split, Status, Verdict
from fitness.tasks import Task
from fitness.tasks.task import SEEDS


@dataclass(frozen=True)
class SeedFile:
    """A seed as it lies on disk."""

    name: str
    path: Path
    source: bytes

    @property
    def about(self) -> tuple[str, str]:
        """The first line of its docstring, and the rest, which cites where it comes from."""
        try:
            text = ast.get_docstring(ast.parse(self.source)) or ""
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return "", ""
        first, _, rest = text.partition("\n")
        return first.strip(), " ".join(rest.split())


def read(path: Path) -> SeedFile:
    """Read a seed. Raises UsageError when it is no regular file, too large, or cannot be read."""
    if path.is_symlink() or not path.is_file():
        raise UsageError(f"{path} is not a regular file: give the path of a Python file with a method in it")
    try:
        source = read_regular(path, MAX_BYTES)
        if source is None:
            raise UsageError(f"{path} is {path.stat().st_size:,} bytes long: a method may have {MAX_BYTES:,}")
        return SeedFile(path.stem, path, source)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def collect(paths: Iterable[Path] = (), folders: Iterable[Path] = (SEEDS,), *, needed: bool = False) -> list[SeedFile]:
    """Return a task's human baselines, then the files and the folders' Python files that are named.

    A file that is named again, or of which there is a copy of the same name, counts once. Raises UsageError for one that cannot
    be read, and where there is none at all but is `needed`.
    """
    found = [read(path) for folder in folders for path in _inside(folder)]
    for path in paths:
        inside = _inside(path) if path.is_dir() else [path]
        if not inside:
            raise UsageError(f"there is no Python file in {path}")
        found += [read(file) for file in inside]
    known: dict[str, SeedFile] = {}
    for seed in found:
        before = known.setdefault(seed.name, seed)
        if before.source != seed.source:
            raise UsageError(f"two seeds are named {seed.name}: {before.path} and {seed.path}; rename one")
    if needed and not known:
        raise UsageError(f"there is no method in {' or '.join(map(str, folders))}: put one there, a Python file, as a baseline")
    return list(known.values())


def _inside(folder: Path) -> list[Path]:
    """Return the files of a folder that are methods: what begins with _ is there for them, or for Python."""
    return [path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")]


def screen_seeds(worker: WorkerProcess, task: Task, seeds: Sequence[SeedFile]) -> list[MethodRecord]:
    """Screen the seeds. Raises UsageError naming the file, the line and the reason when one does not pass."""
    screen = Screen(worker)
    methods = []
    for seed in seeds:
        ours = seed.path.parent in task.seeds
        found = screen.check(seed.source, seed.name, "seed" if ours else "added")
        if found.method is None:
            raise UsageError(f"the seed {seed.path} cannot be used: {found.reason}")
        screen.remember(found.method)
        methods.append(found.method)
    return methods


def watch_known(config: Config, resources: JudgeResources, baselines: Sequence[MethodRecord], watch: Observer) -> None:
    """Say how many of the human baselines were judged in an earlier run on this vault."""
    known = sum(resources.judge.known(baseline.method, dev_instances(config)) for baseline in baselines)
    if known:
        text = f"{known} of {count(len(baselines), 'human baseline')} were judged by an earlier run: their scores are known"
        watch.event("note", text)


_WHO, _WHY = "seed add", "judged by hand, to be added to the run"


@dataclass(frozen=True)
class Added:
    """What became of a file.

    Attributes:
        message: why it was not added, or what the probes that failed it saw.
        pgr: its mean dev PGR, None when it was not added.
        flags: the probes that failed it; it is then in the archive but not in the grid.
    """

    file: Path
    method: str
    status: Status
    message: str
    pgr: float | None
    flags: tuple[str, ...] = ()


def enter(archive: Archive, config: Config, method: MethodRecord, evaluation: Evaluation) -> None:
    """Store a judged method that nobody bred, and offer it to every island unless a probe failed it; in a transaction."""
    archive.add_method(method)
    archive.journal("added", method=method.id)
    archive.add_evaluation(evaluation, None, config.domain, Split.DEV, pgr.interval_of(evaluation))
    if evaluation.fitness is not None and not evaluation.flags:
        measures = evaluation.measures
        offer_to_all_islands(archive, grid_of(archive), method.id, evaluation.fitness, measures, populations(config))


def add_seed(path: Path, seed: SeedFile, trust: bool = False) -> Added:
    """Screen a file, judge it on the run's dev instances, and store and place it when it is OK.

    Raises EvolveError when the run cannot be opened or was scored with another vault.
    """
    archive = Archive.open(path, write=True)
    with contextlib.closing(archive):
        config = stored_config(archive)
        task, executor = tasks.load(config.task), known_executor(config, path)
        check_origin(archive, task)
        with judge_resources(task, dev_instances(config), config.device, trust=trust) as resources:
            screened = Screen(resources.worker, archive.methods()).check(seed.source, seed.name, "added")
            if screened.method is None:
                return Added(seed.path, "", Status.INVALID, screened.reason, None)
            method = screened.method
            job = Job("certify", method.method, tuple(dev_instances(config)), thorough=True)
            with executors.opened(executor, resources.judge, 1):
                evaluation = executor.submit(job).result()
            if evaluation.status is not Status.OK or evaluation.fitness is None:
                return Added(seed.path, method.id, evaluation.status, evaluation.message, None)
            with archive.transaction():
                record_weak_walls(archive, resources.sandbox)
                enter(archive, config, method, evaluation)
                for domain in config.domains:
                    archive.look(Look(_WHO, method.id, method.id, domain, Split.DEV, config.dev_instances, _WHY))
                if evaluation.flags:
                    text = f"{seed.name} ({short(method.id)}) was added by hand and is kept out of the grid"
                    archive.event("flag", f"{text}, flagged by {', '.join(evaluation.flags)}", None, method.id)
                else:
                    archive.event("added", f"{seed.name} ({short(method.id)}) was added by hand", None, method.id)
    failed = [finding for finding in evaluation.findings if finding.verdict is Verdict.FAILED]
    seen = "; ".join(f"{finding.probe}: {finding.sentence}" for finding in failed)
    return Added(seed.path, method.id, Status.OK, seen, evaluation.pgr, evaluation.flags)
