"""Defines the tasks that methods are judged on: a table of dotted names, loaded when asked for, and one's own by their files.

- calling: the functions of a task of one's own, called and checked
- data/: a task of the user's own data
- directions: research directions from the literature
- embedded/: small models of our own, on a made-up world
- grammar: kinds of step, as data
- lm/: the task of language models on texts
- own: a task of the user's own, in one file
- scale/: the task whose domains are sizes of the student
- secret: keyed randomness
- source: what draws instances
- suite: what a task is held to
- task: a task as data
- truth/: what a language model knows of the world
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitness import registry
from fitness.registry import UsageError
from fitness.tasks.own import OwnTask
from fitness.tasks.task import Task, admits, domains

if TYPE_CHECKING:
    from fitness.sandbox.device import Gpu

__all__ = [
    "DATA", "TASKS", "OwnTask", "Task", "admit", "admit_data", "admits", "check_data", "domains", "gpu_forecast", "load",
    "name_data", "named_data", "register",
]  # fmt: skip

TASKS = {
    "embedded": "fitness.tasks.embedded.task:TASK",
    "scale": "fitness.tasks.scale.task:TASK",
    "truth": "fitness.tasks.truth.task:TASK",
}
DATA = {  # tasks that are made of a folder of the user's own data, by their modules
    "w2s": "fitness.tasks.data.task",
    "lm": "fitness.tasks.lm.task",
}
ABOUT_DATA = {
    "w2s": "Weak-to-strong generalisation on your own data: weak labels for training, true ones for tests",
    "lm": "Weak-to-strong generalisation with two language models that you have, on texts in the format of AAR",
}
_DATA_NAMED = list[str]()  # the folder of data that this process may read for a run that is there already
_NAMES = ("task", "TASK")  # what a task is called in its file, where the user does not say
_ADMITTED = dict[str, Task]()  # the tasks of the user's own that this process was told of, by name


def load(name: str) -> Task:
    """Return the task of this name, which may come from an archive: nothing is imported but what the table names.

    Raises UsageError, listing the known ones, when there is none.
    """
    if name in _ADMITTED:
        return _ADMITTED[name]
    if name in TASKS:
        task: Task = registry.resolve(TASKS[name])
        return task
    if name in DATA:
        raise UsageError(f"The task {name} is one of your own data: say --data DIR, a folder with a folder a domain in it.")
    if re.fullmatch(rf"({'|'.join(DATA)})-[0-9a-f]{{8}}", name):
        raise UsageError(
            f"The task {name} is one of somebody's own data, which are read only when you name them: say --data DIR."
        )
    if re.fullmatch(r"[\w-]+-[0-9a-f]{8}", name):
        base = name.rpartition("-")[0]
        now = next((known for known in _ADMITTED if known.rpartition("-")[0] == base), "")
        if now:
            raise UsageError(f"The file of the task {name} was edited: it is {now} now. Put it back, or begin a new run.")
        again = "which is imported only when you name it: say --task path/to/file.py, with the file as it was then"
        raise UsageError(f"The task {name} is a file of somebody's own, {again}.")
    raise UsageError(
        f"There is no task named {name[:80]!r}; the known tasks are: {', '.join(sorted({*TASKS, *DATA, *_ADMITTED}))}."
    )


def admit(reference: str) -> str:
    """Import the task that the user names by `module:NAME` or `path/to/task.py[:NAME]`, and return the name it goes by here.

    That is its own name and a digest of the file, so that a changed file is another task, with instances of its own. Any other
    name is returned as it is. Raises UsageError with what is wrong with the file.
    """
    if reference in TASKS or reference in DATA or reference in _ADMITTED or not registry.is_reference(reference):
        return reference
    found, file = registry.load(reference, *_NAMES), registry.file_of(reference)
    if isinstance(found, OwnTask):
        return _enter(found, reference)
    if not isinstance(found, Task):
        raise UsageError(f"{reference} is no task but of type {type(found).__name__}: write task = Task(...) in the file")
    return register(_placed(found, file, found.source, reference))


def admit_data(reference: str, folder: str | Path, **options: Any) -> str:
    """Read the data that the user names, and return the name that their task goes by here, which holds a digest of them.

    `options` are those of the task, such as data.task.DataOptions. Raises UsageError with what is wrong with the data.
    """
    if reference not in DATA:
        raise UsageError(f"--data goes with --task {' or '.join(DATA)}, and the task is {reference!r:.80}")
    return register(registry.resolve(f"{DATA[reference]}:from_folder")(Path(folder), options))


def check_data(task: Task) -> Sequence[tuple[str, str, bool]]:
    """Return each check of the data that a task is made of, by name, with a sentence, and whether it passed; () for no data."""
    if "files" not in task.options:
        return ()
    check = registry.resolve(f"{DATA[task.name.rpartition('-')[0]]}:check")
    found: Sequence[tuple[str, str, bool]] = check(Path(task.options["folder"]), task.options)
    return found


def gpu_forecast(task: Task, gpu: Gpu | None, hours: float | None) -> Any:
    """Return what a run takes of a GPU, a dataclass with `lines`; None for a task that takes none of its own.

    Raises UsageError when it does not fit into the GPU or the hours, or hours are given for a task that says nothing of them.
    """
    if not task.forecast:
        if hours is not None:
            raise UsageError(f"--gpu-hours goes with a task that trains models on a GPU, such as lm, and not with {task.name}")
        return None
    name, memory = ("", 0) if gpu is None else (gpu.name, gpu.memory)
    return registry.resolve(task.forecast)(task.options, name, memory, hours)


def name_data(folder: str) -> None:
    """Let this process read a folder of data where an archive's task is made of one."""
    _DATA_NAMED[:] = [folder]


def named_data() -> str:
    """Return the folder of data that the user names for the archive at hand; "" for none."""
    return _DATA_NAMED[0] if _DATA_NAMED else ""


def register(task: Task | OwnTask) -> str:
    """Let this process know a task that was handed over as an object, and return its name.

    One of the user's own must stand in a file: its instances are drawn in another process. Raises UsageError.
    """
    if isinstance(task, OwnTask):
        return _enter(task)
    _ADMITTED[task.name] = task
    return task.name


def _enter(own: OwnTask, reference: str = "") -> str:
    task, (file, name) = own.finished(), own.place()
    return register(_placed(task, file, f"{name}.source", reference or f"{file}:{name}"))


def _placed(task: Task, file: Path, source: str, reference: str) -> Task:
    """Return a task with what it names beside its file found there, and named after the file's digest.

    Its source is found again as the task was: by the module that the user named, which may import others of its package, or by
    the file.
    """
    place = reference.rpartition(":")[0] if reference and ".py" not in reference else str(file)
    probes = tuple(str(file.parent / probe) if ".py:" in probe else probe for probe in task.contract.probes)
    return replace(
        task,
        name=f"{task.name}-{registry.digest(file)}",
        source=source if ":" in source else f"{place}:{source}",
        seeds=tuple(file.parent / folder for folder in task.seeds),
        contract=replace(task.contract, probes=probes),
        reference=reference,
    )
