"""Opens and closes together what judging needs, and loads the models and operators of a run."""

from __future__ import annotations

import contextlib
import ctypes
import glob
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from evolve import files, models, operators
from evolve.config import Config
from evolve.errors import UsageError
from evolve.executors.batch import IDLE
from evolve.files import PLAN
from evolve.models.retry import Clock
from evolve.nouns import Model, Operator
from evolve.runs.circumstances import circumstances
from evolve.screening.examine import with_others
from evolve.screening.worker import WorkerProcess
from evolve.search.context import Judging, dev_instances
from evolve.selection.pairing import Adds
from fitness import registry
from fitness.cached_judge import CachedJudge
from fitness.judge import Cancelled
from fitness.sandbox.device import DeviceChoice, choose
from fitness.sandbox.sandbox import Sandbox, opened
from fitness.tasks import Task
from fitness.vault.builder import Builder
from fitness.vault.builder import load as load_instance
from fitness.vault.instance import Instance, InstanceName
from fitness.vault.rows import RowStore
from fitness.vault.vault import Vault

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h


@dataclass(frozen=True)
class JudgeResources(Judging):
    """All that judging needs, with or without a run.

    Attributes:
        choice: where methods were to compute.
    """

    judge: CachedJudge
    vault: Vault
    builder: Builder
    sandbox: Sandbox
    rows: RowStore
    choice: DeviceChoice

    def adds(self, config: Config) -> Adds | None:
        """Return what says of two methods what one adds to the other on a run's dev instances, if the task's answers have rows.

        Room is made for what the run will keep.
        """
        if not self.task.contract.has_rows:
            return None
        self.rows.prune()
        return partial(self.rows.adds, instances=dev_instances(config))

    @contextlib.contextmanager
    def beside(self, task: Task, wanted: Sequence[InstanceName]) -> Iterator[JudgeResources]:
        """Judge on another task for a while, in the same sandbox; begin to build its wanted instances."""
        with Builder(self.vault, task) as builder:
            builder.start(wanted)
            yield _judging(task, self.vault, builder, self.sandbox, self.worker, self.stop, self.choice)

    @contextlib.contextmanager
    def stopped_at_the_end(self) -> Iterator[None]:
        """Set the stop flag when a block ends, however it ends: jobs that nobody waits for any more are dropped."""
        try:
            yield
        finally:
            self.stop.set()


@contextlib.contextmanager
def judge_resources(
    task: Task,
    wanted: Sequence[InstanceName],
    device: str = "auto",
    *,
    trust: bool = False,
    stop: threading.Event | None = None,
    worker: WorkerProcess | None = None,
    baselines: Collection[str] = (),
) -> Iterator[JudgeResources]:
    """Open what judging needs and begin to build the wanted instances; everything it started is gone when the block ends.

    With `trust`, methods run below sandbox level B too; `stop` ends every wait once it is set; a `worker` that is there already
    is used; what the vault's cache knows of `baselines`, methods by id, is not measured again. Raises DeviceUnavailable, before
    anything is begun, when the device is `cuda` and there is none; SandboxUnavailable when the walls are too few, and
    VaultError when the vault cannot be used.
    """
    registry.ends_definitions()
    stop, choice = stop or threading.Event(), choose(device)
    _return_large_arrays()
    with contextlib.ExitStack() as stack:
        worker = worker or stack.enter_context(WorkerProcess())
        vault = Vault()
        builder = stack.enter_context(Builder(vault, task))
        builder.start(wanted)
        worker.warm()
        sandbox = stack.enter_context(opened(choice, trust, task.model))
        yield _judging(task, vault, builder, sandbox, worker, stop, choice, baselines)


def _judging(
    task: Task,
    vault: Vault,
    builder: Builder,
    sandbox: Sandbox,
    worker: WorkerProcess,
    stop: threading.Event,
    choice: DeviceChoice,
    baselines: Collection[str] = (),
) -> JudgeResources:
    one_at_a_time = threading.Lock()

    def load(name: InstanceName) -> Instance:
        while not stop.is_set() and not vault.ready(task, name.domain, name.split, name.index):
            with contextlib.suppress(TimeoutError):
                builder.wait_for(name, IDLE)
        if stop.is_set():
            raise Cancelled
        with one_at_a_time:
            return load_instance(vault, task, name)

    store, rows = vault.cache(circumstances(task, sandbox, choice)), RowStore(vault.rows(task))
    judge = CachedJudge(store, baselines, task, vault, sandbox, load, stop, partial(with_others, worker), rows)
    return JudgeResources(task, judge, worker, stop, vault, builder, sandbox, rows, choice)


def _return_large_arrays() -> None:
    """Make glibc give arrays above 1 MB back when they are freed: by default it learns to keep 7 MB a trial and thread."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_MMAP_THRESHOLD, 1 << 20)


def load_models(config: Config, stop: threading.Event | None = None, run: Path | None = None) -> dict[str, Model]:
    """Return the models of a run by name; `stop` cuts their waits short, and a command sees nothing of the run's archive.

    Raises UsageError or ModelError with the sentence that says what is missing.
    """
    from evolve.models.endpoint import has_secrets

    if config.base_url and has_secrets(config.base_url):
        where = "set the variable OPENAI_BASE_URL instead, which is never stored"
        raise UsageError(f"a base URL with a password or a query would be kept in the run and its reports: {where}")
    settings = models.Settings(
        tokens_out=config.reply_tokens,
        thinking=config.thinking,
        clock=Clock(sleep=stop.wait) if stop else Clock(),
        prices=config.prices,
        extra_body=config.extra_body,
        run=run,
        hidden=_of_the_run(run) if run else (),
    )
    return {spec: models.load(spec, config.base_url, settings=settings) for spec in config.model}


def _of_the_run(path: Path) -> tuple[Path, ...]:
    """Return where exact scores lie: the archive with all that is named after it, its study, trackers' files, the runs."""
    study = (path.parent,) if (path.parent / PLAN).exists() else ()
    named = sorted(path.parent.glob(f"{glob.escape(files.run_name(path))}*"))
    return (*named, *study, files.trackers_folder(path), Path("runs"))


def load_operators(task: Task, config: Config, more: Sequence[Operator] = ()) -> dict[str, Operator]:
    """Return the operators of a run: those that have what they need, and `more` of a caller's.

    Of ours one may need a model, a grammar, experiments, cards to be told by, or prompts that tell what it finds.
    """
    loaded = {name: operators.load(name) for name in operators.TABLE} | {operator.name: operator for operator in more}
    able = {name: op for name, op in loaded.items() if config.model or not op.needs_model}
    given = {
        "needs_grammar": bool(task.grammar),
        "experiments": config.experiments > 0,
        "needs_cards": config.disclosure != "ladder",
        "needs_prompts": bool(config.model),
    }
    lacking = [need for need, there in given.items() if not there]
    return {name: op for name, op in able.items() if not any(getattr(op, need, False) for need in lacking)}
