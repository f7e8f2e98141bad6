"""What trackers keep of a run, read back with their own packages: one reader for each entry of the trackers' table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Kept:
    """What a tracker holds of a run, as its own package reads it.

    Attributes:
        runs: how many runs it takes them for.
        series: name -> step -> value.
        words: name -> text: settings, state and results.
    """

    runs: int
    series: dict[str, dict[int, float]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def keep(self, name: str, step: int, value: object) -> None:
        if isinstance(value, (int, float)):
            self.series.setdefault(name, {})[step] = float(value)
        else:
            self.words[name] = str(value)


def read_tensorboard(folder: Path) -> Kept:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runs = list((folder / "tensorboard").iterdir())
    kept = Kept(len(runs))
    events = EventAccumulator(str(runs[0]), {"scalars": 0, "tensors": 0})
    events.Reload()
    for name in events.Tags()["scalars"]:
        for event in events.Scalars(name):
            kept.keep(name, event.step, event.value)
    for name in events.Tags()["tensors"]:
        kept.words[name] = events.Tensors(name)[-1].tensor_proto.string_val[0].decode()
    for line in kept.words.pop("settings").splitlines():
        name, _, value = line.removeprefix("- ").partition(": ")
        kept.words[name] = value
    return kept


def read_mlflow(folder: Path) -> Kept:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.sqlite'}")
    experiment = client.get_experiment_by_name("evolve")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    found, kept = runs[0], Kept(len(runs))
    for name in found.data.metrics:
        for metric in client.get_metric_history(found.info.run_id, name):
            kept.keep(name, metric.step, metric.value)
    kept.words |= {**found.data.params, **found.data.tags}
    assert found.info.status == {"finished": "FINISHED", "interrupted": "KILLED"}[kept.words["state"]]
    return kept


def read_trackio(folder: Path) -> Kept:
    with sqlite3.connect(folder / "trackio" / "evolve.db") as db:
        found = db.execute("select run_name, step, metrics from metrics order by rowid").fetchall()
        settings = json.loads(db.execute("select config from configs order by rowid desc").fetchone()[0])
    kept = Kept(len({name for name, _, _ in found}), words={name: str(value) for name, value in settings.items()})
    for _, step, metrics in found:
        for name, value in json.loads(metrics).items():
            kept.keep(name, step, value)
    return kept


def wandb_records(data: bytes) -> Iterator[bytes]:
    """Yield the records of a .wandb file: a header, then LevelDB's log format, blocks of 32 KiB with chunks of records."""
    at, whole = 7, b""
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole record, or its last chunk
            yield whole
            whole = b""


def read_wandb(folder: Path) -> Kept:
    from wandb.proto import wandb_internal_pb2

    files = sorted((folder / "wandb").glob("offline-run-*/*.wandb"))
    kept = Kept(len({file.name for file in files}))
    for file in files:
        for data in wandb_records(file.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            history = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item}
            for name, value in history.items():
                kept.keep(name, history["_step"], value)
            for item in (*record.summary.update, *record.run.config.update):
                kept.keep(item.key or item.nested_key[0], -1, json.loads(item.value_json))
    kept.words |= {name: f"{steps[-1]:g}" for name, steps in kept.series.items() if -1 in steps}
    return kept


READERS: dict[str, Callable[[Path], Kept]] = {
    "tensorboard": read_tensorboard,
    "mlflow": read_mlflow,
    "trackio": read_trackio,
    "wandb": read_wandb,
}
