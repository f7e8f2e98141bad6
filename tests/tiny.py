"""A tiny version of the embedded task for end-to-end tests, and the command line with it in the table.

`python -m tests.tiny start --task tiny ...` is `python -m evolve start ...` with instances that build in no time.
"""

from __future__ import annotations

import sys

from fitness import tasks
from fitness.nouns import Limits
from fitness.tasks.embedded import Embedded, Sizes

SIZES = Sizes(labelled=100, train=500, test=400)
TASK = Embedded(SIZES, margin=0.05, name="tiny", limits=Limits(seconds=5.0, memory=1 << 30), least_instances=3)
SMALL = ["--task", "tiny", "--set", "dev_instances=3", "--set", "fresh_instances=3", "--set", "held_out_instances=3"]


def register() -> None:
    """Put the tiny task into the table of this process."""
    tasks.TASKS["tiny"] = "tests.tiny:TASK"


if __name__ == "__main__":
    from evolve.cli import run

    register()
    sys.exit(run(sys.argv[1:]))
