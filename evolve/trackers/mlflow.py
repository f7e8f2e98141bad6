"""Logs a run to MLflow: experiment `evolve`, in `trackers/mlflow.sqlite` or where MLFLOW_TRACKING_URI says."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import ClassVar

from evolve.trackers import PROJECT, Subject

_KEY = "evolve.key"


class Mlflow:
    """A run of MLflow's; a resumed run goes on in the same one, found by its tag."""

    package: ClassVar[str] = "mlflow"

    def __init__(self, subject: Subject) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{subject.folder / 'mlflow.sqlite'}")
        known = self._client.get_experiment_by_name(PROJECT)
        files = None if "MLFLOW_TRACKING_URI" in os.environ else (subject.folder / "mlflow").as_uri()
        experiment = known.experiment_id if known else self._client.create_experiment(PROJECT, files)
        runs = self._client.search_runs([experiment], f"tags.`{_KEY}` = '{subject.key}'")
        if runs:
            self._run = runs[0].info.run_id
            self._client.update_run(self._run, status="RUNNING")
        else:
            self._run = self._client.create_run(experiment, tags={_KEY: subject.key}, run_name=subject.name).info.run_id
            for name, value in subject.settings.items():
                self._client.log_param(self._run, name, value)
        self._client.set_tag(self._run, "state", "running")
        self._step = 0

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log each number as a metric."""
        from mlflow.entities import Metric

        self._step, now = step, int(1000 * time.time())
        self._client.log_batch(self._run, [Metric(name, value, now, step) for name, value in values.items()])

    def end(self, state: str, results: Mapping[str, str | float]) -> None:
        """Log the results: numbers as metrics, words as tags."""
        self.log(self._step, {name: value for name, value in results.items() if not isinstance(value, str)})
        words = {name: value for name, value in results.items() if isinstance(value, str)}
        for name, value in {"state": state, **words}.items():
            self._client.set_tag(self._run, name, value)
        self._client.set_terminated(self._run, "FINISHED" if state == "finished" else "KILLED")
