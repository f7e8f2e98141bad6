"""Hands a trial's inputs to its child: sealed anonymous files that nobody can change, mapped by whoever reads them."""

from __future__ import annotations

import errno
import fcntl
import math
import mmap
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from fitness.contracts.contract import TEXT, Problem
from fitness.nouns import Limits

ALIGNMENT = 64  # bytes; torch's vectorised loads like it
BLOCK = 1 << 19  # bytes gathered at a time: they stay in the processor's cache until they are written
PATIENCE = 10.0  # seconds that the kernel may keep a page to itself
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class Sheet(mmap.mmap):
    """A read-only mapping of a sealed file of arrays, which keeps the file's descriptor for as long as an array is in use.

    Attributes:
        descriptor: the file.
        start: the address of its first byte.
    """

    descriptor: int
    start: int

    @classmethod
    def of(cls, descriptor: int) -> Sheet:
        """Map a file, which the sheet then owns."""
        sheet = cls(descriptor, 0, prot=mmap.PROT_READ)
        sheet.descriptor = descriptor
        sheet.start = np.frombuffer(sheet, np.uint8).ctypes.data
        return sheet

    def __del__(self) -> None:
        os.close(self.descriptor)


@dataclass(frozen=True)
class Request:
    """What the zygote is told about one run, beside its descriptors.

    Attributes:
        arrays: name -> (offset in the inputs, shape, dtype).
        absent: names of arrays that the instance lacks; `texts`: names of those that are lists of strings.
        numbers: sizes that the method is told, by name.
        answer: the shape of the answer; `low`, `high`, `limits`, `meaning`, `single`: as in contract.Answer.
        seed: the trial's seed.
        classes: of the student that the method is handed; 0 for none.
        tuned, answer_tokens: as in contract.Contract.
        home: what EVOLVE_HOME is inside: the run's decoy.
        memory: bytes of address space beyond the zygote's.
        disk: bytes of one file.
        cpu_seconds: a last resort when nobody is left to stop the child; the wall clock is kept outside.
    """

    arrays: dict[str, tuple[int, tuple[int, ...], str]]
    absent: tuple[str, ...]
    texts: tuple[str, ...]
    numbers: dict[str, int]
    answer: tuple[int, ...]
    low: float | None
    high: float | None
    limits: str
    meaning: str
    single: str
    seed: int
    classes: int
    tuned: tuple[tuple[str, str], ...]
    answer_tokens: str
    home: str
    memory: int
    disk: int
    cpu_seconds: int


def sealed(parts: Iterable[bytes | memoryview]) -> int:
    """Return the descriptor of a sealed anonymous file that holds the parts; the caller closes it. Raises OSError."""
    descriptor = os.memfd_create("input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        for part in parts:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        seal(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def seal(descriptor: int) -> None:
    """Let nobody change a file any more. Raises OSError.

    The kernel answers EBUSY while it holds a page of the file itself, such as to move it in memory: then it is asked again.
    """
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > end:
                raise
            time.sleep(0.02)


def lay_out(arrays: Mapping[str, np.ndarray], orders: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """Copy arrays into one sealed file and return them as they lie there, read-only: a child can map them as they are.

    `orders` names the rows, (n,), that some of them are to have. Raises OSError.
    """
    orders = orders or {}
    sheet = Sheet.of(sealed(part for name, array in arrays.items() for part in _blocks(array, orders.get(name))))
    placed, offset = {}, 0
    for name, array in arrays.items():
        shape = array.shape if name not in orders else (len(orders[name]), *array.shape[1:])
        placed[name] = np.ndarray(shape, array.dtype, sheet, offset)
        offset += placed[name].nbytes + _padding(placed[name].nbytes)
    return placed


def pack(problem: Problem, limits: Limits, home: str) -> tuple[Sheet, Request]:
    """Return the sheet that a problem's arrays lie on, a new one unless they share one already, and where each lies on it."""
    arrays = problem.arrays
    sheet = next(iter(arrays.values())).base
    if not isinstance(sheet, Sheet) or any(array.base is not sheet for array in arrays.values()):
        arrays = lay_out({name: np.asarray(array, order="C") for name, array in arrays.items()})
        sheet = next(iter(arrays.values())).base
        assert isinstance(sheet, Sheet)
    contract, sizes = problem.contract, problem.contract.sizes(arrays)
    answer = contract.answer
    return sheet, Request(
        arrays={n: (array.ctypes.data - sheet.start, array.shape, array.dtype.name) for n, array in arrays.items()},
        absent=tuple(array.name for array in contract.arrays if array.name not in arrays),
        texts=tuple(array.name for array in contract.arrays if array.dtype == TEXT and array.name in arrays),
        numbers={name: sizes[name] for name in contract.told},
        answer=problem.shape,
        low=answer.low,
        high=answer.high,
        limits=answer.limits,
        meaning=answer.meaning,
        single=answer.single,
        seed=int(problem.seed),
        classes=contract.classes(arrays),
        tuned=contract.tuned,
        answer_tokens=contract.answer_tokens,
        home=home,
        memory=limits.memory,
        disk=limits.disk,
        cpu_seconds=math.ceil(limits.seconds) * (os.cpu_count() or 1) + 60,
    )


def _blocks(array: np.ndarray, order: np.ndarray | None) -> Iterable[memoryview | bytes]:
    """Yield an array's bytes, its rows in an order, some at a time, and the padding that aligns the next one."""
    array = np.atleast_1d(array)
    rows = max(1, BLOCK * len(array) // max(1, array.nbytes))
    written = 0
    for first in range(0, len(array) if order is None else len(order), rows):
        some = slice(first, first + rows)
        block = np.ascontiguousarray(array[some]) if order is None else array.take(order[some], axis=0)
        written += block.nbytes
        yield block.reshape(-1).view(np.uint8).data
    yield bytes(_padding(written))


def _padding(size: int) -> int:
    return -size % ALIGNMENT
