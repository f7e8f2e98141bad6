"""Judges a run's champion and its human best on each size of model of one task: the scale check.

A gain that was found with a small model may be gone with a larger one. Nothing here feeds back: it comes after the final table.
Both methods of a pair are handed the same rows in the same order with the same seed, so that their difference is not luck.
"""

from __future__ import annotations

from archives.nouns import Look, MethodRecord
from evolve.errors import UsageError
from evolve.executors.batch import Batch
from evolve.executors.job import Job
from evolve.prompting.disclosure import Lineages
from evolve.queries.scale_table import scale_table
from evolve.runs.resources import JudgeResources
from evolve.search.context import RunContext
from evolve.search.reporter import Reporter
from evolve.text import count
from fitness import pgr, tasks
from fitness.judge import pair
from fitness.nouns import Evaluation, Split, Status
from fitness.tasks import Task, admits
from fitness.vault.instance import InstanceName

TASK = "scale"
PHASE = "judging the champion and the human best on each size"
MOST = 10  # instances of each size, where the run has as many fresh ones of a domain
_WHO, _WHY = "scale check", "the champion and the human best on each size"


def task_of_sizes(task: Task) -> Task:
    """Return the task whose domains are sizes. Raises UsageError where methods of a task could not run on it."""
    sizes = tasks.load(TASK)
    if not admits(sizes, task):
        handed = ", ".join(array.name for array in sizes.contract.arrays)
        raise UsageError(
            f"a scale check needs methods that are handed {handed}, and those of {task.name} are not: leave --scale-check out"
        )
    return sizes


def check_sizes(context: RunContext, resources: JudgeResources, reporter: Reporter) -> None:
    """Judge and store, where the run wants it, it was not done before, and the run is not stopping."""
    if not context.config.scale_check or resources.stop.is_set():
        return
    archive, sizes = context.archive, tasks.load(TASK)
    run, domains = archive.run(), tasks.domains(sizes)
    known, version = scale_table(archive), f"{sizes.name} {sizes.version}"
    done = [row["text"] for row in archive.rows("select text from events where kind = 'scale task' order by id desc limit 1")]
    as_now = done == [version] and known is not None and [line.size for line in known.lines] == list(domains)
    if not run.champion or as_now:
        return
    several = min(MOST, context.config.fresh_instances)
    names = {domain: [InstanceName(sizes.name, domain, Split.SCALE, i) for i in range(several)] for domain in domains}
    stored = {method.id: method for method in archive.methods()}
    methods = [stored[run.champion], stored[run.human_best]]
    where = f"{count(several, 'instance')} each of {', '.join(domains)}"
    context.watch.event("scale", f"judging the champion and the human best on {where}")
    found = _judged(context, resources, sizes, names, methods, reporter)
    if len(found) < len(methods) * len(domains):
        return
    with archive.transaction():
        archive.event("scale task", version)
        for domain in domains:
            for method in methods:
                _store(context, resources, domain, found[method.id, domain])
        table = scale_table(archive)
        if table:
            archive.event("scale", table.sentence, None, run.champion)


def _judged(
    context: RunContext,
    resources: JudgeResources,
    sizes: Task,
    names: dict[str, list[InstanceName]],
    methods: list[MethodRecord],
    reporter: Reporter,
) -> dict[tuple[str, str], Evaluation]:
    """Return what came of each method on each domain; not all of them when the run is stopping."""
    draw, found = pair(*(method.id for method in methods)), dict[tuple[str, str], Evaluation]()
    with resources.beside(sizes, [name for several in names.values() for name in several]) as judging:
        context.executor.open(judging.judge, context.config.workers)
        jobs = {
            (method.id, domain): Job("evaluate", method.method, tuple(several), draw=draw)
            for domain, several in names.items()
            for method in methods
        }
        shown = Batch(context.executor, resources.stop, lambda: reporter.standing(PHASE, len(found), len(jobs)))
        for key, evaluation in shown.run(jobs.items()):
            found[key] = evaluation
    return found


def _store(context: RunContext, resources: JudgeResources, domain: str, evaluation: Evaluation) -> None:
    """Store an evaluation and the look at it, in the run and beside the vault."""
    interval = pgr.interval(evaluation.scores) if evaluation.status is Status.OK else None
    trials, archive = len(evaluation.trials), context.archive
    lineage = Lineages(archive, context.config.domains).ancestor_seed(evaluation.method)
    archive.add_evaluation(evaluation, None, domain, Split.SCALE, interval)
    archive.look(Look(_WHO, evaluation.method, lineage, domain, Split.SCALE, trials, _WHY))
    resources.vault.log_look(_WHO, evaluation.method, domain, Split.SCALE, trials)
