"""Reads and writes the file of one instance: a header line, raw arrays, and a keyed digest. Nothing in it is ever unpickled."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from hashlib import blake2b
from pathlib import Path

import numpy as np

from fitness.tasks.secret import Secret
from fitness.tasks.source import Drawn

FORMAT = 1  # version of the file's layout
ALIGN = 64  # bytes; arrays start at multiples of it
ARRAYS = ("train_x", "weak", "test_x", "test_y", "teacher", "pairs")
DIGEST = 32  # bytes of BLAKE2b at the end


class Damaged(Exception):
    """The file is not what was written: cut short, altered, or made with another key, version or name."""


@dataclass(frozen=True)
class Layout:
    """Where things lie in a verified file.

    Attributes:
        facts: the header's own entries (name, version, weak_acc, strong_acc, ...).
        arrays: array name -> (dtype, shape, offset in bytes).
    """

    facts: Mapping[str, object]
    arrays: Mapping[str, tuple[str, tuple[int, ...], int]]


def private(path: str | Path, flags: int) -> int:
    """Open a file (the `opener` of `open`); one that is made can be read by its owner only, from its first byte on."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def make_folder(folder: Path) -> None:
    """Make a folder and what it lies in, for their owner only. Raises OSError."""
    for missing in [one for one in (folder, *folder.parents) if not one.exists()][::-1]:
        missing.mkdir(0o700, exist_ok=True)


def write(path: Path, drawn: Drawn, identity: Mapping[str, object], secret: Secret) -> None:
    """Write an instance so that it is there whole or not at all; raises OSError when there is no room or no right to."""
    arrays = {name: np.ascontiguousarray(value) for name in ARRAYS if (value := getattr(drawn, name)) is not None}
    table, offset = {}, 0
    for name, value in arrays.items():
        table[name] = [value.dtype.str, list(value.shape), offset]
        offset += -(-value.nbytes // ALIGN) * ALIGN
    facts = {**identity, "format": FORMAT, "weak_acc": drawn.weak_acc, "strong_acc": drawn.strong_acc}
    header = json.dumps({"facts": facts, "arrays": table}).encode()
    header += b" " * (-(len(header) + 1) % ALIGN) + b"\n"
    digest = blake2b(header, key=secret.key, digest_size=DIGEST)
    part = path.with_suffix(".part")
    try:
        with open(part, "wb", opener=private) as file:
            file.write(header)
            for value in arrays.values():
                block = value.tobytes() + bytes(-value.nbytes % ALIGN)
                digest.update(block)
                file.write(block)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path, identity: Mapping[str, object], secret: Secret) -> Layout:
    """Verify a file and return its layout; raises Damaged, or OSError when it cannot be read."""
    data = path.read_bytes()
    body = memoryview(data)[:-DIGEST]
    if blake2b(body, key=secret.key, digest_size=DIGEST).digest() != data[-DIGEST:]:
        raise Damaged(f"{path} does not match its checksum")
    start = data.index(b"\n") + 1
    header = json.loads(data[:start])
    if any(header["facts"].get(key) != value for key, value in {**identity, "format": FORMAT}.items()):
        raise Damaged(f"{path} holds another instance")
    arrays = {name: (dtype, tuple(shape), start + offset) for name, (dtype, shape, offset) in header["arrays"].items()}
    return Layout(header["facts"], arrays)


def array(path: Path, layout: Layout, name: str) -> np.ndarray | None:
    """Map one array of a verified file, read-only; None when the file has none of that name."""
    if name not in layout.arrays:
        return None
    dtype, shape, offset = layout.arrays[name]
    return np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock beside a file; other processes wait, and a process that dies lets go of it."""
    with open(path.with_suffix(".lock"), "ab", opener=private) as file:
        flock(file, LOCK_EX)
        yield
