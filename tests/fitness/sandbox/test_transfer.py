"""Inputs on their way to a child: laid out once in a sealed file, in the order that was asked for, and never copied again."""

from __future__ import annotations

import fcntl
import gc
import mmap
import os
import threading

import numpy as np
import pytest
from small_problem import LIMITS, make_problem

from fitness.contracts.contract import Problem
from fitness.sandbox.transfer import ALIGNMENT, BLOCK, SEALS, Sheet, lay_out, pack, seal


@pytest.fixture
def placed() -> Problem:
    """The small problem, its arrays on one sheet."""
    loose = make_problem(pairs=True)
    return loose.changed(lay_out(loose.arrays))


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (7, 5), (BLOCK // 32 + 1, 16)])
def test_rows_come_in_the_order_asked_for(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    rows, beside = rng.random(shape, np.float32), np.arange(3)
    order = rng.permutation(len(rows))
    found = lay_out({"beside": beside, "rows": rows, "again": rows}, {"rows": order})
    np.testing.assert_array_equal(found["rows"], rows[order])
    np.testing.assert_array_equal(found["again"], rows)
    np.testing.assert_array_equal(found["beside"], beside)
    assert all(array.ctypes.data % ALIGNMENT == 0 for array in found.values())


def test_what_was_laid_out_can_never_be_changed(placed: Problem) -> None:
    sheet, _ = pack(placed, LIMITS, "")
    assert fcntl.fcntl(sheet.descriptor, fcntl.F_GET_SEALS) == SEALS
    with pytest.raises(ValueError, match="read-only"):
        placed["weak"][0] = 1
    with pytest.raises(OSError, match="not permitted"):
        os.write(sheet.descriptor, b"x")
    with pytest.raises(PermissionError):
        mmap.mmap(sheet.descriptor, 0)


def test_arrays_on_one_sheet_are_handed_over_as_they_lie(placed: Problem) -> None:
    sheet, request = pack(placed, LIMITS, "")
    assert sheet is placed["train_x"].base
    assert pack(placed.changed(seed=8), LIMITS, "")[0] is sheet
    for name, (offset, shape, kind) in request.arrays.items():
        found = np.frombuffer(sheet, kind, int(np.prod(shape)), offset).reshape(shape)
        np.testing.assert_array_equal(found, placed[name])


@pytest.mark.parametrize("name", ["train_x", "weak", "test_x", "pairs"])
def test_a_changed_problem_goes_on_a_sheet_of_its_own(placed: Problem, name: str) -> None:
    before = pack(placed, LIMITS, "")[0]
    for changed in (placed[name][::-1], placed[name].copy(), placed[name][5:]):
        if len(changed) < len(placed[name]) and name in ("train_x", "weak"):
            continue  # the two have the same rows
        sheet, request = pack(placed.changed({name: changed}), LIMITS, "")
        assert sheet is not before
        offset, shape, kind = request.arrays[name]
        np.testing.assert_array_equal(np.frombuffer(sheet, kind, int(np.prod(shape)), offset).reshape(shape), changed)


def test_a_sheet_is_closed_with_its_last_array() -> None:
    arrays = lay_out({"x": np.ones(5)})
    sheet = arrays["x"].base
    assert isinstance(sheet, Sheet)
    descriptor = sheet.descriptor
    del sheet
    gc.collect()
    os.fstat(descriptor)
    arrays.clear()
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_file_that_is_busy_for_a_moment_is_sealed_after_it() -> None:
    descriptor = os.memfd_create("input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(descriptor, b"held")
    held = mmap.mmap(descriptor, 0)  # writable: the kernel refuses the seal with EBUSY for as long as it is there
    with pytest.raises(OSError, match="busy"):
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
    timer = threading.Timer(0.2, held.close)
    timer.start()
    seal(descriptor)
    timer.join()
    assert fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) == SEALS
    os.close(descriptor)
