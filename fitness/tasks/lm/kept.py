"""Keeps what models computed in files beside the vault's instances: for their owner only, whole or to be gone on with.

What a file holds is in its name, a digest of the model and of the texts, so that it is never taken for another.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from fitness.home import default_home
from fitness.tasks.lm.rows import ASK
from fitness.vault import storage

Parts = Callable[[int], Iterable[tuple[list[int], np.ndarray]]]


def folder() -> Path:
    """Return where the files are, made when it is not there: in the vault, because a teacher's answers tell of labels."""
    found = default_home() / "vault" / "models"
    storage.make_folder(found)
    return found


def name_of(*parts: object) -> str:
    """Return the name of what is computed of some parts: texts, labels, fingerprints, settings."""
    digest = hashlib.sha256(ASK.encode())
    for part in parts:
        raw = part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode()
        digest.update(f"{len(raw)} ".encode() + raw)
    return digest.hexdigest()[:32]


def array(name: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """Return an array that is kept, computed when it is not there or damaged."""
    path = folder() / f"{name}.npy"
    with storage.locked(path):
        found = _whole(path, None)
        if found is None:
            found = compute()
            part = path.with_suffix(".part")
            with open(part, "wb", opener=storage.private) as file:
                np.save(file, found, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
    return found


def rows(name: str, shape: tuple[int, int], parts: Parts) -> np.ndarray:
    """Return a float32 array that is mapped from its file, computed row by row; what was interrupted is gone on with.

    `parts(done)` yields rows and their values in an order that is always the same, without the first `done` of it.
    """
    path = folder() / f"{name}.npy"
    with storage.locked(path):
        found = _whole(path, shape)
        if found is None:
            _fill(path, shape, parts)
            found = _whole(path, shape)
    assert found is not None
    return found


def _fill(path: Path, shape: tuple[int, int], parts: Parts) -> None:
    part, counter = path.with_suffix(".part"), path.with_suffix(".done")
    done = _done(counter) if _whole(part, shape) is not None else 0
    held = np.lib.format.open_memmap(part, "r+" if done else "w+", np.float32, None if done else shape)
    part.chmod(0o600)
    for some, values in parts(done):
        held[some] = values
        held.flush()
        done += len(some)
        _count(counter, done)
    os.replace(part, path)
    counter.unlink(missing_ok=True)


def _whole(path: Path, shape: tuple[int, ...] | None) -> np.ndarray | None:
    """Return the array of a file, None where there is none, or one that was cut short or is of another shape."""
    try:
        found: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if shape is None or found.shape == shape else None


def _done(counter: Path) -> int:
    try:
        return int(counter.read_text())
    except (OSError, ValueError):
        return 0


def _count(counter: Path, done: int) -> None:
    part = counter.with_suffix(".count")
    part.write_text(str(done))
    os.replace(part, counter)
