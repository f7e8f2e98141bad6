"""Writes the file that a new method begins with."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

from evolve.errors import UsageError
from fitness.contracts import wording
from fitness.tasks import Task

PACKAGES = ("evolve", "fitness", "archives", "seeds", "tests")
_NAME = re.compile(r"[A-Za-z]\w*\.py", re.ASCII)


def check_name(path: Path) -> None:
    """Raise UsageError for a file beside which Python would no longer find a module that it would import this file for."""
    name, here = path.stem, {path.parent.resolve(), Path.cwd()}
    known = name in sys.stdlib_module_names or name in PACKAGES
    if not known and name.isidentifier():
        found = importlib.util.find_spec(name)
        known = found is not None and (found.origin is None or Path(found.origin).resolve().parent not in here)
    if known:
        raise UsageError(f"{path.name} would hide the module {name} from all that is run in its folder: use another name")


def new(path: Path, task: Task) -> Path:
    """Write the stub of a task's contract to a file that is not there yet, and return its path. Raises UsageError."""
    if not _NAME.fullmatch(path.name):
        raise UsageError(f"{path} is no name for a method: write one like my_idea.py, of letters, digits and _")
    check_name(path)
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(wording.stub(task.contract))
    except FileExistsError:
        raise UsageError(f"{path} is there already, and nothing was written: choose another name") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    return path
