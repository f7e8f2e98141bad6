"""Logs a run to Weights & Biases or Trackio, which speak the same: below `trackers/`, or where the user's environment says.

wandb stays offline unless WANDB_MODE=online is set, and Trackio local unless TRACKIO_SPACE_ID is. Neither captures the
terminal, the machine, the checkout or the packages.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from evolve.trackers import PROJECT, Subject


class Wandb:
    """A run of wandb's; online, a resumed run goes on in the same one, and offline in another file with the same id."""

    package: ClassVar[str] = "wandb"

    def __init__(self, subject: Subject) -> None:
        self._step = 0
        self._run = self._begin(subject)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log the numbers of one step."""
        self._step = step
        self._run.log(dict(values), step=step)

    def end(self, state: str, results: Mapping[str, str | float]) -> None:
        """Keep the results in the run's summary, and the page's place as a reference."""
        import wandb

        self._run.summary.update({"state": state, **results})
        if "report" in results:
            page = wandb.Artifact(f"report-{self._run.id}", type="report")
            page.add_reference(f"file://{results['report']}", checksum=False)  # its place, not its contents
            self._run.log_artifact(page)
        self._run.finish()

    def _begin(self, subject: Subject) -> Any:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        place = os.environ.get("WANDB_DIR") or str(subject.folder)
        os.makedirs(place, exist_ok=True)  # wandb would take a temporary folder in silence
        mode: Any = os.environ.get("WANDB_MODE") or "offline"  # wandb says what it makes of another word
        run = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            id=subject.key,
            name=subject.name,
            resume="allow",
            dir=place,
            mode=mode,
            config=dict(subject.settings),
            settings=wandb.Settings(
                console="off", silent=True, save_code=False, disable_code=True, disable_git=True, login_timeout=1,
                x_disable_meta=True, x_disable_stats=True, x_disable_machine_info=True, x_save_requirements=False,
            ),
        )  # fmt: skip
        run.summary.update({"state": "running"})
        return run


class Trackio(Wandb):
    """A run of Trackio's; a resumed run goes on in the same one."""

    package: ClassVar[str] = "trackio"

    def end(self, state: str, results: Mapping[str, str | float]) -> None:
        """Log the results beside the last step, and finish."""
        self._run.log({"state": state, **results}, step=self._step)
        self._run.finish()

    def _begin(self, subject: Subject) -> Any:
        place = os.environ.setdefault("TRACKIO_DIR", str(subject.folder / "trackio"))
        os.makedirs(place, exist_ok=True)  # Trackio would go on in silence, and keep nothing
        import trackio

        return trackio.init(
            PROJECT, name=subject.key, config=dict(subject.settings), resume="allow", embed=False, auto_log_gpu=False,
            auto_log_cpu=False,
        )  # fmt: skip
