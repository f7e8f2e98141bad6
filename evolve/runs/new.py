"""Writes the file that a new method begins with."""

from __future__ import annotations

import re
from pathlib import Path

from evolve.errors import UsageError
from fitness.contracts import wording
from fitness.tasks import Task

_NAME = re.compile(r"[A-Za-z]\w*\.py", re.ASCII)


def new(path: Path, task: Task) -> Path:
    """Write the stub of a task's contract to a file that is not there yet, and return its path. Raises UsageError."""
    if not _NAME.fullmatch(path.name):
        raise UsageError(f"{path} is no name for a method: write one like my_idea.py, of letters, digits and _")
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(wording.stub(task.contract))
    except FileExistsError:
        raise UsageError(f"{path} is there already, and nothing was written: choose another name") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    return path
