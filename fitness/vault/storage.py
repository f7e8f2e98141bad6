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

FORMAT = 2  # version of the file's layout
ALIGN = 64  # bytes; arrays start at multiples of it
PUBLIC, PRIVATE = "public/", "private/"  # before the names of arrays
DIGEST = 32  # bytes of BLAKE2b at the end
BLOCK = 1 << 20  # bytes that are digested at a time
HEADER = 1 << 20  # bytes of the longest header line


class Damaged(Exception):
    """The file is not what was written: cut short, altered, or made with another key, version or name."""


@dataclass(frozen=True)
class Layout:
    """Where things lie in a verified file.

    Attributes:
        facts: the header's own entries (name, version, floor, ceiling, ...).
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


def write(
    path: Path, arrays: Mapping[str, np.ndarray], facts: Mapping[str, object], identity: Mapping[str, object], secret: Secret
) -> None:
    """Write an instance so that it is there whole or not at all; raises OSError when there is no room or no right to."""
    laid = {name: np.ascontiguousarray(value).reshape(value.shape) for name, value in arrays.items()}
    table, offset = {}, 0
    for name, value in laid.items():
        table[name] = [value.dtype.str, list(value.shape), offset]
        offset += -(-value.nbytes // ALIGN) * ALIGN
    header = json.dumps({"facts": {**identity, "format": FORMAT, **facts}, "arrays": table}).encode()
    header += b" " * (-(len(header) + 1) % ALIGN) + b"\n"
    digest = blake2b(header, key=secret.key, digest_size=DIGEST)
    part = path.with_suffix(".part")
    try:
        with open(part, "wb", opener=private) as file:
            file.write(header)
            for value in laid.values():
                for block in (value.reshape(-1).view(np.uint8).data, bytes(-value.nbytes % ALIGN)):
                    digest.update(block)
                    file.write(block)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path, identity: Mapping[str, object], secret: Secret) -> Layout:
    """Verify a file, a block at a time, and return its layout; raises Damaged, or OSError when it cannot be read."""
    with open(path, "rb") as file:
        digest, left = blake2b(key=secret.key, digest_size=DIGEST), os.fstat(file.fileno()).st_size - DIGEST
        head = file.readline(min(left, HEADER)) if left > 0 else b""
        digest.update(head)
        left -= len(head)
        while left > 0 and (block := file.read(min(left, BLOCK))):
            digest.update(block)
            left -= len(block)
        if digest.digest() != file.read():
            raise Damaged(f"{path} does not match its checksum")
    header = json.loads(head)
    if any(header["facts"].get(key) != value for key, value in {**identity, "format": FORMAT}.items()):
        raise Damaged(f"{path} holds another instance")
    arrays = {name: (dtype, tuple(shape), len(head) + offset) for name, (dtype, shape, offset) in header["arrays"].items()}
    return Layout(header["facts"], arrays)


def array(path: Path, layout: Layout, name: str) -> np.ndarray:
    """Map one array of a verified file, read-only."""
    dtype, shape, offset = layout.arrays[name]
    if 0 in shape:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock beside a file; other processes wait, and a process that dies lets go of it."""
    with open(path.with_suffix(".lock"), "ab", opener=private) as file:
        flock(file, LOCK_EX)
        yield
