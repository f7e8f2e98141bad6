"""Runs the search: every candidate goes through the ten steps.

- ablations: what is known of the record's parts
- attempts: what was tried, for the table of the next prompts
- briefing: what an operator is told, step 2
- candidate: a candidate, how its proposal ended, and proposals that are resumed
- context: what a search is given
- deleted_lines: lines that lineages dropped
- engine: the ten steps
- experiments: variants tried beside the search
- feedback: failed children, families, baselines shown, and what was tried
- final_evaluation: the finalists on fresh and held-out instances
- final_result: the final table and the verdict
- loop: how many candidates set off, and when it ends
- parts: what one session is made of, built once
- pipeline: the steps in flight and their threads
- proposing: worst case, drafts, silent models
- recorder: steps 9 and 10, and who is told of them
- remaining: how long a run still takes
- reporter: events and snapshots
- restore: the same, told again out of the archive
- seeding: methods that no operator made
- state: methods, parents, scores, flags, the best

The folder is public as a function, too: `evolve.search(task, evals=40)` is `evolve.start(task=task, evals=40)`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Search(ModuleType):
    """The folder itself, which can be called."""

    def __call__(self, task: object = None, **options: Any) -> Any:
        """Breed methods for a task, its name or the task itself, and return the run; options are those of evolve.start."""
        return import_module(__name__.partition(".")[0]).start(task=task, **options)


_here = sys.modules[__name__]
_here.__class__ = _Search
