"""Names what lies beside an archive, writes outputs of a run over nothing but its own, and reads a stranger's file.

Text that a person wrote is read without a byte order mark.
"""

from __future__ import annotations

import codecs
import itertools
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from archives.sqlite import place
from evolve.errors import UsageError

RUNS = Path("runs")  # the folder of archives
PLAN = "plan.json"  # in the folder of a study
TRACKERS = "trackers"  # the folder of trackers' files, beside the archive
_MARK = re.compile(rb"evolve-run:([0-9a-f]{16})")
_LARGEST = 1 << 28  # bytes of an output of ours


def trackers_folder(db: Path) -> Path:
    """Return where the trackers of a run keep their files."""
    return db.parent.absolute() / TRACKERS


def read_regular(path: Path, most: int) -> bytes | None:
    """Return what is in a file; None for a pipe, a device or more bytes than `most`, none of which is read. Raises OSError."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        found = os.fstat(file.fileno())
        return file.read(most) if stat.S_ISREG(found.st_mode) and found.st_size <= most else None


def run_name(db: Path) -> str:
    """Return what a run is called, and what the names of its files begin with: its archive's name, without .db at the end."""
    return db.name.removesuffix(".db") or db.name


def new_names() -> Iterator[Path]:
    """Yield names for the archive of a run that nobody gave one: the time, then the time with a number.

    Raises UsageError when no archive can lie in runs/.
    """
    check_folder(RUNS)
    now = f"{datetime.now():%Y%m%d-%H%M%S}"
    return (RUNS / f"{now}{_numbered(number)}.db" for number in itertools.count(1))


def check_folder(folder: Path) -> None:
    """Raise UsageError when a folder is not there and cannot be made, because a file or a link to nothing has its name."""
    found = next((one for one in (folder, *folder.parents) if os.path.lexists(one)), None)
    if found is not None and not found.is_dir():
        raise UsageError(f"{found} is there and is no folder: move it away, or choose another place with --db")


def newest_runs() -> list[Path]:
    """Return the archives in runs/ that can be read, the newest first; what is no database is passed over."""
    found = []
    for path in RUNS.glob("*.db"):
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode) and file.read(len(place.MAGIC)) == place.MAGIC:
                    found.append((os.fstat(file.fileno()).st_mtime, path))
        except OSError:  # a link to nothing, a file that is gone or another's
            continue
    return [path for _, path in sorted(found, reverse=True)]


def mark(key: str) -> str:
    """Return what every output of a run holds, before anything that a method wrote: by it the run knows its own files again."""
    return f"evolve-run:{key}"


def beside(db: Path, end: str, key: str) -> Path:
    """Return where a run writes an output: NAME and `end` beside its archive, with a number where that is not its own."""
    names = (db.with_name(f"{run_name(db)}{_numbered(number)}{end}") for number in itertools.count(1))
    return next(path for path in names if not refusal(path, key))


def refusal(path: Path, key: str) -> str:
    """Return why a run may not write to a path, "" where it may: nothing is there, or an earlier output of the same run."""
    for name in [path] if os.path.lexists(path.parent) else [path, path.parent]:
        if (archive := place.owner(name)) is not None:
            return f"{name} is a name that belongs to the archive {archive}"
    if not os.path.lexists(path) or (path.is_dir() and not path.is_symlink() and _holds_its_own(path, key)):
        return ""
    return "" if _is_output(path, key) else f"{path} is there already and is no output of this run"


def check_free(paths: Iterable[Path], key: str) -> None:
    """Raise UsageError when one of several paths is not the run's to be written to."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            raise UsageError(f"cannot write {path}: it is a folder; choose another place with --out")
        if why := refusal(path, key):
            raise UsageError(f"{why}: name another with --out, or move that away")


def write_text(path: Path, text: str, key: str) -> Path:
    """Write a text file of a run in one step. Raises UsageError as `write_bytes` does."""
    return write_bytes(path, text.encode("utf-8"), key)


def write_bytes(path: Path, content: bytes, key: str) -> Path:
    """Write an output of the run that has this key in one step, so that a reader never sees half of it.

    Raises UsageError when it cannot be written, or is not the run's to be replaced.
    """
    check_free([path], key)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")  # a name nobody can have put a link at
    try:
        place.make_folder(path.parent)
        try:
            with open(draft, "xb", opener=place.private) as file:
                file.write(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; choose another place with --out") from error
    return path


def _numbered(number: int) -> str:
    return "" if number == 1 else f"-{number}"


def _holds_its_own(folder: Path, key: str) -> bool:
    try:
        return all(_is_output(path, key) for path in folder.iterdir())
    except OSError:
        return False


def _is_output(path: Path, key: str) -> bool:
    """Tell whether a file is an output of the run: a file of ours names its run before anything else it holds."""
    try:
        content = None if path.is_symlink() else read_regular(path, _LARGEST)
    except OSError:
        return False
    found = None if content is None or content.startswith(place.MAGIC) else _MARK.search(content)
    return found is not None and found[1] == key.encode()


def decoded(raw: bytes) -> str:
    """Return the text of a file that a person wrote: UTF-8, without the byte order mark that some editors put first.

    Raises UnicodeDecodeError.
    """
    return raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
