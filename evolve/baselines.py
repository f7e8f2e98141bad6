"""The human baselines: plain Python files in seeds/, and those a user brings, read as text."""

from __future__ import annotations

import ast
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evolve.errors import UsageError
from evolve.screen import MAX_BYTES

FOLDER = Path(__file__).parent.parent / "seeds"


@dataclass(frozen=True)
class SeedFile:
    """A seed as it lies on disk."""

    name: str
    path: Path
    source: bytes

    @property
    def about(self) -> tuple[str, str]:
        """The first line of its docstring, and the rest, which cites where it comes from."""
        try:
            text = ast.get_docstring(ast.parse(self.source)) or ""
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return "", ""
        first, _, rest = text.partition("\n")
        return first.strip(), " ".join(rest.split())


def read(path: Path) -> SeedFile:
    """Read a seed. Raises UsageError when it is no regular file, too large, or cannot be read."""
    if path.is_symlink() or not path.is_file():
        raise UsageError(f"{path} is not a regular file: give the path of a Python file with a method in it")
    try:
        source = read_regular(path, MAX_BYTES)
        if source is None:
            raise UsageError(f"{path} is {path.stat().st_size:,} bytes long: a method may have {MAX_BYTES:,}")
        return SeedFile(path.stem, path, source)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def read_regular(path: Path, most: int) -> bytes | None:
    """Return what is in a file; None for a pipe, a device or more bytes than `most`, none of which is read. Raises OSError."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        found = os.fstat(file.fileno())
        return file.read(most) if stat.S_ISREG(found.st_mode) and found.st_size <= most else None


def collect(paths: Iterable[Path] = ()) -> list[SeedFile]:
    """Return the human baselines, then the files and the folders' Python files that are named. Raises UsageError."""
    found = [read(path) for path in sorted(FOLDER.glob("*.py")) if not path.name.startswith("_")]
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob("*.py"))
            if not inside:
                raise UsageError(f"there is no Python file in {path}")
            found += [read(file) for file in inside]
        else:
            found.append(read(path))
    names: dict[str, Path] = {}
    for seed in found:
        if seed.name in names:
            raise UsageError(f"two seeds are named {seed.name}: {names[seed.name]} and {seed.path}; rename one")
        names[seed.name] = seed.path
    return found
