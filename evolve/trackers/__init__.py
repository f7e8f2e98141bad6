"""Sends a run's numbers to trackers, tools beside the archive; each is a file, named in TABLE and imported only when asked for.

A tracker works in a process of its own (process.py), so that a slow, noisy or broken one never holds up the search. It is told
numbers that the archive shows too, and never a key, a prompt, a reply, a source or a label.

- __main__: the process of one tracker
- following: the observer that tells trackers
- mlflow: MLflow
- process: the other end of that process
- tensorboard: TensorBoard
- wandb: Weights & Biases, and Trackio
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Protocol

from evolve.errors import UsageError
from fitness import registry

TABLE = {
    "wandb": "evolve.trackers.wandb:Wandb",
    "trackio": "evolve.trackers.wandb:Trackio",
    "mlflow": "evolve.trackers.mlflow:Mlflow",
    "tensorboard": "evolve.trackers.tensorboard:TensorBoard",
}
PROJECT = "evolve"  # what trackers that group runs file them under


@dataclass(frozen=True)
class Subject:
    """A run as a tracker sees it.

    Attributes:
        name: what people call the run.
        key: its own among all runs, and the same after a resume.
        folder: where a tracker on this machine keeps its files, unless the user chose another place.
        settings: what of the configuration may be told.
    """

    name: str
    key: str
    folder: Path
    settings: Mapping[str, str | float]


class Tracker(Protocol):
    """Keeps the numbers of one run; making one opens its run, or goes on with it.

    Attributes:
        package: the name it is imported by; the pip extra is named like the entry of TABLE.
    """

    package: ClassVar[str]

    def __init__(self, subject: Subject) -> None:
        """Open the tracker's run."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Keep numbers after so many evaluations."""

    def end(self, state: str, results: Mapping[str, str | float]) -> None:
        """Keep how the session ended (finished or interrupted) and what it found, and close."""


def load(name: str) -> type[Tracker]:
    """Return the adapter of this name. Raises UsageError, listing the known ones, when there is none."""
    unknown = f"there is no tracker named {name!r}: the trackers are {', '.join(TABLE)}"
    adapter: type[Tracker] = registry.find(name, TABLE, unknown, ("package", "log", "end"))
    return adapter


def check(names: Sequence[str]) -> None:
    """Raise UsageError for a name that is no tracker's, and for a tracker whose package is missing."""
    for name in names:
        spec = find_spec(load(name).package)
        if spec is None or spec.origin is None:  # a folder of that name, such as the one wandb writes, is no package
            raise UsageError(f"the tracker {name} needs the extra {name}: run `pip install -e '.[{name}]'` in the checkout")


def usable(names: Sequence[str], named: Sequence[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the trackers that can follow a run here, of those its archive names, and a sentence for each that cannot.

    One that lies in a file of the user's own is imported only when she has `named` it: the archive may be a stranger's.
    """
    found, missing = [], []
    for name in dict.fromkeys(names):
        try:
            if registry.is_reference(name) and name not in named:
                raise UsageError(f"{name} is a tracker of somebody's own: to have it follow the run, say --tracker {name}")
            check([name])
            found.append(name)
        except UsageError as error:
            missing.append(f"not followed: {error}")
    return tuple(found), tuple(missing)
