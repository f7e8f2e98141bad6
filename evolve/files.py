"""Names what lies beside an archive, and reads a stranger's file: up to a limit, and without a byte order mark."""

from __future__ import annotations

import codecs
import os
import stat
from datetime import datetime
from pathlib import Path

RUNS = Path("runs")  # the folder of archives
PLAN = "plan.json"  # in the folder of a study
TRACKERS = "trackers"  # the folder of trackers' files, beside the archive


def trackers_folder(db: Path) -> Path:
    """Return where the trackers of a run keep their files."""
    return db.parent.absolute() / TRACKERS


def read_regular(path: Path, most: int) -> bytes | None:
    """Return what is in a file; None for a pipe, a device or more bytes than `most`, none of which is read. Raises OSError."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        found = os.fstat(file.fileno())
        return file.read(most) if stat.S_ISREG(found.st_mode) and found.st_size <= most else None


def decoded(raw: bytes) -> str:
    """Return the text of a file that a person wrote: UTF-8, without the byte order mark that some editors put first.

    Raises UnicodeDecodeError.
    """
    return raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")


def new_run() -> Path:
    """Return where a run keeps its archive that nobody gave a name."""
    return RUNS / f"{datetime.now():%Y%m%d-%H%M%S}.db"
