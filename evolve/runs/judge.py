"""Judges method files outside any run, on instances of their own: alone, or each against another method."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from archives.nouns import MethodRecord
from archives.trials import SCORE_COLUMNS
from evolve import executors
from evolve.errors import UsageError
from evolve.executors import Executor
from evolve.executors.job import Job
from evolve.queries.method import method_details
from evolve.runs.find import choose_method, find_run, reading
from evolve.runs.resources import JudgeResources, judge_resources
from evolve.runs.seeds import SeedFile, collect, read
from evolve.screening.screen import Screen
from evolve.text import count, label
from fitness import tasks
from fitness.judge import pair
from fitness.nouns import Evaluation, Interval, Method, Score, Split, Status, Trial
from fitness.pgr import FEWEST, interval, paired_interval
from fitness.sandbox.doctor import CONTAINED
from fitness.tasks import Task
from fitness.vault.instance import InstanceName

FIRST = 1000  # judge's own instances: fresh ones that no search ever draws
BEST = "best"


@dataclass(frozen=True)
class JudgeRequest:
    """How files are to be judged.

    Attributes:
        task: a name of the table, or the user's own as `module:NAME` or `path/to/task.py[:NAME]`, which is imported.
        domain: a domain of the task, or None for its first search domain.
        instances: how many instances.
        probes: whether the methods are probed for reward hacks, thoroughly.
        workers: trials at once.
        trust: whether they run below sandbox level B too.
        against: "best", the name of a baseline of the task, or the path of a file; "" for nobody.
        db: the archive whose champion is the best (default: the newest run's).
    """

    task: str = "embedded"
    domain: str | None = None
    instances: int = 5
    probes: bool = True
    workers: int = 2
    device: str = "auto"
    trust: bool = False
    against: str = ""
    db: Path | None = None


def judge(
    files: Sequence[SeedFile], how: JudgeRequest, warn: Callable[[str], None], say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Judge files and count the looks; return a verdict for each, as `judge --json` prints it.

    Against another method, the two of a pair are handed the same rows in the same order with the same seed (common random
    numbers), so that their difference is not the luck of a draw; the other one runs once for each file.
    `warn` is told when the sandbox does not contain methods, `say` what takes long. Raises EvolveError.
    """
    task = tasks.load(tasks.admit(how.task))
    domain = chosen_domain(task, how.domain)
    other = opponent(how, task)
    names = [InstanceName(task.name, domain, Split.FRESH, FIRST + i) for i in range(how.instances)]
    with judging(task, names, how, warn, say) as (resources, executor):
        sitting = _Sitting(resources, executor, names, other, how.probes, say)
        return [sitting.verdict(file) for file in files]


@contextlib.contextmanager
def judging(
    task: Task, names: Sequence[InstanceName], how: JudgeRequest, warn: Callable[[str], None], say: Callable[[str], None]
) -> Iterator[tuple[JudgeResources, Executor]]:
    """Open what judging outside any run needs, and an executor; what nobody waits for at the end is dropped.

    `warn` is told when the sandbox does not contain methods, `say` what else it notes. Raises EvolveError.
    """
    with judge_resources(task, names, how.device, trust=how.trust) as resources:
        if resources.sandbox.level not in CONTAINED:
            warn(resources.sandbox.summary)
        if resources.sandbox.note:
            say(resources.sandbox.note)
        executor = executors.load("local")
        with executors.opened(executor, resources.judge, how.workers), resources.stopped_at_the_end():
            yield resources, executor


def chosen_domain(task: Task, named: str | None) -> str:
    """Return the domain that is named, or the first search domain. Raises UsageError for one that is not there."""
    domain = named or task.search_domains[0]
    if domain in task.absent:
        raise UsageError(task.absent[domain])
    if domain not in tasks.domains(task):
        raise UsageError(f"{task.name} has no domain {domain!r}: the domains are {', '.join(tasks.domains(task))}")
    return domain


def evaluated(method: str, trials: Sequence[Trial]) -> Evaluation:
    """Return a method's trials as one evaluation, which is as its first trial that failed."""
    failed = next((trial for trial in trials if trial.status is not Status.OK), None)
    status, message = (failed.status, failed.message) if failed else (Status.OK, "")
    return Evaluation(method, tuple(trials), status, None, message=message)


Average = tuple[float | None, float | None, float | None]


def averages(evaluation: Evaluation) -> tuple[Average, Average]:
    """Return the mean PGR of an evaluation and the ends of its 90 % interval, and the same of AUC PGR; None: there is none."""
    if evaluation.status is not Status.OK:
        return (None, None, None), (None, None, None)
    return _average(evaluation.scores), _average([trial.auc for trial in evaluation.trials if trial.auc])


def _average(scores: Sequence[Score]) -> Average:
    span = interval(scores) if len(scores) >= FEWEST else None
    low, high = (span.low, span.high) if span else (None, None)
    return (fmean(score.pgr for score in scores) if scores else None), low, high


def opponent(how: JudgeRequest, task: Task) -> SeedFile | None:
    """Return the method that files are judged against. Raises UsageError for one that nobody knows."""
    wanted = how.against
    if how.db is not None and wanted != BEST:
        raise UsageError(f"--db names the run whose champion to judge against: it goes with --against {BEST}")
    if not wanted:
        return None
    if wanted == BEST:
        path = find_run(how.db)
        with reading(path) as archive:
            if archive.run().task != task.name:
                other = f"{path} is a run on {archive.run().task}, and its champion says nothing about {task.name}"
                raise UsageError(f"{other}: name a run of this task with --db, or this run's task with --task")
            best = method_details(archive, choose_method(archive, None), ranked=False)
        return SeedFile(label(best.name, best.method), path, best.source.encode())
    baselines = {seed.name: seed for seed in collect(folders=task.seeds)}
    if wanted in baselines:
        return baselines[wanted]
    if Path(wanted).suffix == ".py" or Path(wanted).exists():
        return read(Path(wanted))
    known = ", ".join(baselines)
    raise UsageError(f"there is no baseline named {wanted!r}: name {BEST}, a file, or one of {known}")


class _Sitting:
    """One call of `judge`: screens files and runs them, all on the same instances."""

    def __init__(
        self,
        resources: JudgeResources,
        executor: Executor,
        names: Sequence[InstanceName],
        other: SeedFile | None,
        probes: bool,
        say: Callable[[str], None],
    ) -> None:
        self._resources, self._executor, self._names, self._probes, self._say = resources, executor, names, probes, say
        self._screen = Screen(resources.worker)
        self._others = () if other is None else (self._screened(other),)

    def verdict(self, file: SeedFile) -> dict[str, Any]:
        """Judge one file."""
        facts = {
            "method": None,
            "file": str(file.path),
            "domain": self._names[0].domain,
            "device": self._resources.sandbox.device,
        }
        screened = self._screen.parse(file.source, file.name)
        if screened.method is None:
            refused = _outcome(Evaluation("", (), Status.INVALID, None, message=screened.reason))
            return facts | refused | {"said": [], "looks": 0, "against": None}
        method = screened.method.method
        self._await_instances()
        self._say(f"judging {file.name} on {count(len(self._names), 'instance')} of {self._names[0].domain}")
        draws = [pair(method.id, other.id) for other in self._others]
        begun = [(one, self._begin(one, *draws)) for one in (method, *(other.method for other in self._others))]
        ours, *theirs = [self._ended(one, futures) for one, futures in begun]
        if self._probes and ours.status is Status.OK:
            self._say(f"probing {file.name} for reward hacks, thoroughly")
            ours = replace(ours, findings=self._resources.judge.inspect(method, ours.trials, thorough=True))
        against = next((_against(other.name, ours, outcome) for other, outcome in zip(self._others, theirs)), None)
        said = next((t for t in ours.trials if t.status is not Status.OK), ours.trials[0]).said.splitlines()
        looks = self._resources.vault.looks(self._names[0].domain, Split.FRESH)
        return facts | {"method": method.id} | _outcome(ours) | {"said": said, "looks": looks, "against": against}

    def _screened(self, file: SeedFile) -> MethodRecord:
        """Return the method that files are judged against. Raises UsageError when the screen refuses it."""
        screened = self._screen.parse(file.source, file.name)
        if screened.method is None:
            raise UsageError(f"nothing can be judged against {file.name}: {screened.reason}")
        return replace(screened.method, name=file.name)

    def _await_instances(self) -> None:
        vault = self._resources.vault
        missing = sum(not vault.ready(self._resources.task, n.domain, n.split, n.index) for n in self._names)
        if missing:
            self._say(f"building {missing} instances of {self._names[0].domain}, about {4 * missing} s")

    def _begin(self, method: Method, draw: str = "") -> list[Future[Evaluation]]:
        return [self._executor.submit(Job("evaluate", method, (name,), draw=draw)) for name in self._names]

    def _ended(self, method: Method, futures: Sequence[Future[Evaluation]]) -> Evaluation:
        """Return a method's trials as one evaluation, whose looks are counted."""
        trials = tuple(trial for future in futures for trial in future.result().trials)
        self._resources.vault.log_look("judge", method.id, self._names[0].domain, Split.FRESH, len(trials))
        return evaluated(method.id, trials)


def _against(name: str, ours: Evaluation, theirs: Evaluation) -> dict[str, Any]:
    """Return the fields of a verdict about a pair: the other's scores, and the difference as the final table works it out."""
    whole = ours.status is Status.OK and theirs.status is Status.OK
    shown = paired_interval(ours.scores, theirs.scores) if whole else None
    kept = ("status", "message", "pgr", "instances")
    outcome = {key: value for key, value in _outcome(theirs).items() if key in kept}
    return {"name": name, "method": theirs.method, **outcome, **_difference(shown)}


def _difference(shown: Interval | None) -> dict[str, float | None]:
    """Return the paired difference; `low` is its one-sided 95 % bound, and the lower end of its 90 % interval.

    The ends are None where instances are too few (pgr.FEWEST).
    """
    low, high = shown.ends if shown else (None, None)
    return {"difference": shown.mean if shown else None, "low": low, "high": high}


def _outcome(evaluation: Evaluation) -> dict[str, Any]:
    """Return the fields of the verdict that come from the evaluation; pgr is None unless every trial was OK."""
    scores = evaluation.scores if evaluation.status is Status.OK else ()
    pgr, by_area = averages(evaluation)

    def mean(name: str) -> float | None:
        return fmean(getattr(s, name) for s in scores) if scores else None

    rows = [
        {
            "instance": t.instance,
            "status": str(t.status),
            "pgr": getattr(t.score, "pgr", None),
            "auc_pgr": getattr(t.auc, "pgr", None),
            **{column: getattr(t.score, name, None) for name, column in SCORE_COLUMNS.items()},
            "seconds": round(t.seconds, 4),
            "notes": dict(t.notes),
        }
        for t in evaluation.trials
    ]
    return {
        "status": str(evaluation.status),
        "message": evaluation.message,
        **dict(zip(("pgr", "pgr_low", "pgr_high"), pgr)),
        **dict(zip(("auc_pgr", "auc_pgr_low", "auc_pgr_high"), by_area)),
        **{column: mean(name) for name, column in SCORE_COLUMNS.items()},
        "seconds": round(evaluation.seconds, 4),
        "flags": list(evaluation.flags),
        "probes": [asdict(finding) for finding in evaluation.findings],
        "instances": rows,
    }
