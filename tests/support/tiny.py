"""A tiny version of the embedded task for end-to-end tests, and the command line with it in the table.

`python -m tests.support.tiny start --task tiny ...` is `python -m evolve start ...` with instances that build in no time, and a
few of the human baselines.
"""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from fitness import tasks
from fitness.nouns import Limits
from fitness.tasks.embedded.task import Sizes, embedded
from fitness.tasks.task import SEEDS

SIZES = Sizes(labelled=100, train=500, test=400)
SETTINGS = ("dev_instances=3", "fresh_instances=3", "held_out_instances=3", "finalists=1")
SMALL = ["--task", "tiny", "--device", "cpu", *(word for setting in SETTINGS for word in ("--set", setting))]
STUDY = ["compare", "--task", "tiny", "--set", "dev_instances=3", "--set", "fresh_instances=3", "--set", "device=cpu"]
HUMAN = ("auxconf", "confident", "earlystop", "lda", "vanilla")


def register(patch: pytest.MonkeyPatch) -> None:
    """Put the tiny task into the table of this process."""
    patch.setitem(tasks.TASKS, "tiny", "tests.support.tiny:TASK")


def command(*arguments: str) -> list[str]:
    """Return the command line of `python -m tests.support.tiny`."""
    return [sys.executable, "-m", "tests.support.tiny", *arguments]


def _few() -> Path:
    """Copy a few of the human baselines into a folder of their own."""
    folder = Path(tempfile.mkdtemp(prefix="baselines-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in HUMAN:
        shutil.copy(SEEDS / f"{name}.py", folder)
    return folder


LIMITS = Limits(seconds=5.0, memory=1 << 30)
TASK = replace(embedded(SIZES, margin=0.05), name="tiny", limits=LIMITS, least_instances=3, seeds=_few())


if __name__ == "__main__":
    from evolve.__main__ import leave
    from evolve.cli import run

    register(pytest.MonkeyPatch())
    leave(run(sys.argv[1:]))
