"""Says what may be written where: nothing over an archive or what lies beside one, and all of it for its owner only."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from archives.nouns import ArchiveError

OF_SQLITE = ("-wal", "-shm", "-journal")
BESIDE = (*OF_SQLITE, ".lock")  # what SQLite, and a process that works on an archive, keep beside it
MAGIC = b"SQLite format 3\x00"


def private(path: str | Path, flags: int) -> int:
    """Open a file (the `opener` of `open`); one that is made can be read by its owner only, from its first byte on."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def make_folder(folder: Path) -> list[Path]:
    """Make a folder and what it lies in, for their owner only; return those made, the innermost first. Raises OSError."""
    made = list[Path]()
    for missing in [one for one in (folder, *folder.parents) if not os.path.lexists(one)][::-1]:
        with contextlib.suppress(FileExistsError):  # another process made it meanwhile
            missing.mkdir(0o700)
            made.insert(0, missing)
    folder.mkdir(exist_ok=True)  # what is there and is no folder is an error
    return made


def owner(path: Path) -> Path | None:
    """Return the archive beside which SQLite or a process that works on it keeps a file of this name; None if there is none.

    The archive need not be there yet: what stood at such a name would be in its way.
    """
    for end in BESIDE:
        archive = path.name.removesuffix(end)
        if archive and archive != path.name:
            return path.with_name(archive)
    return None


def check_new(path: Path) -> None:
    """Raise ArchiveError when no archive can begin at a path: something is there, or lies where it would keep its files."""
    if os.path.lexists(path):
        raise ArchiveError(f"{path} already exists: a start is always a new run; name another file, or use resume")
    if (beside := owner(path)) is not None:
        raise ArchiveError(f"{path} is a name that belongs to the archive {beside}: name another file")
    for end in OF_SQLITE:
        if os.path.lexists(f"{path}{end}"):
            raise ArchiveError(f"{path}{end} is in the way: SQLite would take it for a part of {path}; move it away")


def create(path: Path) -> None:
    """Make an empty file for a database; what SQLite then keeps beside it has the same rights. Raises ArchiveError, OSError."""
    check_new(path)
    os.close(private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))


def remove(path: Path) -> None:
    """Remove a database, with what SQLite keeps beside it."""
    for end in ("", *OF_SQLITE):
        Path(f"{path}{end}").unlink(missing_ok=True)
