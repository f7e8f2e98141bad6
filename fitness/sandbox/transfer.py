"""How a trial's inputs reach its child: sealed anonymous files that nobody can change once they are handed over."""

from __future__ import annotations

import fcntl
import math
import os
from dataclasses import dataclass

import numpy as np

from fitness.nouns import Limits, Problem

ALIGNMENT = 64  # bytes; torch's vectorised loads like it
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


@dataclass(frozen=True)
class Request:
    """What the zygote is told about one run, beside its descriptors.

    Attributes:
        arrays: name -> (offset in the inputs, shape, dtype).
        seed: the trial's seed.
        n_classes: number of classes.
        memory: bytes of address space beyond the zygote's.
        disk: bytes of one file.
        cpu_seconds: a last resort when nobody is left to stop the child; the wall clock is kept outside.
    """

    arrays: dict[str, tuple[int, tuple[int, ...], str]]
    seed: int
    n_classes: int
    memory: int
    disk: int
    cpu_seconds: int


def sealed(parts: list[bytes | memoryview]) -> int:
    """Return the descriptor of a sealed anonymous file that holds the parts; the caller closes it."""
    descriptor = os.memfd_create("input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        for part in parts:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def pack(problem: Problem, limits: Limits) -> tuple[int, Request]:
    """Return a problem's arrays in one sealed file, and the request that says where each lies."""
    named = {"train_x": problem.train_x, "weak": problem.weak, "test_x": problem.test_x}
    arrays = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in named.items()}
    if problem.pairs is not None:
        arrays["pairs"] = np.ascontiguousarray(problem.pairs, dtype=np.int64)
    parts: list[bytes | memoryview] = []
    places: dict[str, tuple[int, tuple[int, ...], str]] = {}
    offset = 0
    for name, array in arrays.items():
        places[name] = (offset, array.shape, array.dtype.name)
        parts += [array.reshape(-1).view(np.uint8).data, bytes(-array.nbytes % ALIGNMENT)]
        offset += array.nbytes + -array.nbytes % ALIGNMENT
    cpu_seconds = math.ceil(limits.seconds) * (os.cpu_count() or 1) + 60
    request = Request(places, int(problem.seed), problem.n_classes, limits.memory, limits.disk, cpu_seconds)
    return sealed(parts), request
