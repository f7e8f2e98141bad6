"""Runs one trial in one child: it takes its inputs, puts up its walls, runs the method, writes floats and exits.

What it writes on the result pipe is one kind byte, the block of the method's notes (notes.py) and a payload. b"P": exactly
n_test * n_classes float32, little endian. b"I", b"C", b"M": the method's result was invalid, it raised, it ran out of memory;
the payload is a sentence of at most NOTE bytes. The method can write there too. All it can reach that way is a wrong
prediction, a wrong note or a failure of its own: the trusted side takes one such stream of exactly the right length, checks
every float, and calls anything else a VIOLATION.

Loaded inside the sandbox; imports nothing of ours but the walls, the student, the notes and what starts CUDA.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import linecache
import mmap
import os
import random
import signal
import socket
import struct
import sys
import time
import traceback
import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NoReturn

import numpy as np
import torch

from . import walls
from .notes import Notes
from .student import Student

NOTE, CALLS = 2000, 12  # bytes of a sentence and the calls behind it; how many of these
MESSAGE, DESCRIPTORS = 1 << 16, 5  # as in zygote.py
START = struct.Struct("<cd")  # b"R", the monotonic clock
ROUNDING = 1e-5  # how far outside [0, 1] float arithmetic may carry an honest probability; it is clipped
FILE = "method.py"  # how tracebacks name the method
ALONE = "a method works in memory and in one process: there are no files to write or to load, no network, no other processes"
REFUSED = (  # what torch says where Python would raise an OSError
    *(os.strerror(number) for number in (errno.EPERM, errno.EACCES, errno.ENOENT, errno.EROFS)),
    *("cannot be opened", "Parent directory"),
)
OUT_OF_MEMORY = (
    *("can't allocate memory", "cannot allocate memory", "bad_alloc", "not enough memory", "unable to allocate"),
    *("cuda out of memory", "cuda error: out of memory", "cublas_status_alloc_failed"),
    "nvml_success",  # how torch fails when it wants to say how full the GPU is, and may not ask
)


@dataclass
class MethodProblem:
    """What a method is handed: the contract of FITNESS.

    Attributes:
        train_x: (n_train, d) float32.
        weak: (n_train, n_classes) float32.
        test_x: (n_test, d) float32.
        pairs: None, or (p, 2) int64.
        seed: the trial's seed.
        device: where the tensors are.
        n_classes: number of classes.
        student: the default strong student.
        note: takes a name and a number of the method's own, for whoever wrote it.
    """

    train_x: torch.Tensor
    weak: torch.Tensor
    test_x: torch.Tensor
    pairs: torch.Tensor | None
    seed: int
    device: torch.device
    n_classes: int
    student: Student
    note: Notes


class Invalid(Exception):
    """What the method returned is not probabilities for the test examples."""


def run(orders: socket.socket, around: Any) -> NoReturn:
    """Wait for one trial, run it in this process and exit.

    Raises only before the method's first line: the caller reports our fault.
    """
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a method cannot send one: as a KeyboardInterrupt it would look like its own
    _close_all_but({0, 1, 2, orders.fileno(), around.rules})
    message, descriptors, _, _ = socket.recv_fds(orders, MESSAGE, DESCRIPTORS)
    if not message:
        os._exit(0)
    orders.close()
    request = json.loads(message)
    inputs, code, result, output, report = descriptors
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    source = os.pread(code, os.fstat(code).st_size, 0).decode()
    problem = _problem(request, inputs)
    os.environ["EVOLVE_HOME"] = request["home"]  # the canary: see canary.py
    _seed(problem.seed)
    walls.set_limits(None if around.cuda else request["memory"], request["disk"], request["cpu_seconds"])
    if around.cuda:
        around.cuda.enter_landlock()
        _upload(problem, around.cuda.start(problem.seed, request["memory"]))
    elif around.rules >= 0:
        walls.enter_landlock(around.rules)
    if around.program:
        walls.enter_seccomp(around.program)
    for descriptor in (inputs, code, around.rules):
        if descriptor >= 0:
            os.close(descriptor)
    os.write(report, START.pack(b"R", time.monotonic()))
    os.close(report)
    notes = problem.note
    answer = _answer(source, problem)
    _write(result, answer[:1] + notes.block() + answer[1:])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the method closed it, or nobody reads any more
            stream.flush()
    _close_all_but(set())  # the trusted side reads the end of the pipes and need not wait until the memory is taken apart
    os._exit(0)


def _close_all_but(keep: set[int]) -> None:
    low = 0
    for descriptor in [*sorted(keep), 1 << 20]:
        if low < descriptor:  # an empty range reaches close_range(2) as one without an end
            os.closerange(low, descriptor)
        low = descriptor + 1


def _problem(request: dict[str, Any], inputs: int) -> MethodProblem:
    """Map the inputs copy-on-write: a method may edit them in place, and nobody else sees it.

    They are opened anew: the position and the flags of the open file behind `inputs` outlive this child, and would carry words.
    """
    own = os.open(f"/proc/self/fd/{inputs}", os.O_RDONLY)
    held = mmap.mmap(own, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    os.close(own)

    def tensor(name: str) -> torch.Tensor:
        start, shape, kind = request["arrays"][name]
        count = int(np.prod(shape))
        dtype = torch.float32 if kind == "float32" else torch.int64
        if count == 0:
            return torch.empty(shape, dtype=dtype)
        return torch.frombuffer(held, dtype=dtype, count=count, offset=start).reshape(shape)

    pairs = tensor("pairs") if "pairs" in request["arrays"] else None
    seed, classes = request["seed"], request["n_classes"]
    device = torch.device("cpu")
    return MethodProblem(
        tensor("train_x"), tensor("weak"), tensor("test_x"), pairs, seed, device, classes, Student(seed, classes), Notes()
    )  # fmt: skip


def _upload(problem: MethodProblem, device: torch.device) -> None:
    """Move a problem to a device: a copy that is this child's alone."""
    problem.device = device
    for name in ("train_x", "weak", "test_x", "pairs"):
        tensor: torch.Tensor | None = getattr(problem, name)
        setattr(problem, name, None if tensor is None else tensor.to(device))


def _seed(seed: int) -> None:
    """Seed the global generators: a courtesy to methods that forget to, so that every run can be repeated.

    torch.manual_seed would also look for every other kind of device, for 4 ms.
    """
    torch.set_num_threads(1)
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def _answer(source: str, problem: MethodProblem) -> bytes:
    """Run the method; return the kind byte and the payload for the result pipe, whatever happened."""
    n_test, classes = len(problem.test_x), problem.n_classes
    module = ModuleType("method")
    module.__file__ = FILE
    sys.modules["method"] = module
    linecache.cache[FILE] = (len(source), None, source.splitlines(True), FILE)  # where inspect and TorchScript look for it
    try:
        exec(compile(source, FILE, "exec"), module.__dict__)
        if "method" not in module.__dict__:
            raise Invalid("the file defines no function named method: define `def method(problem)`")
        returned = module.__dict__["method"](problem)
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):  # whatever the method made of them
            return b"P" + _floats(returned, n_test, classes).tobytes()
    except Invalid as error:
        return b"I" + _note(str(error))
    except BaseException as error:
        return _failure(error)


def _failure(error: BaseException) -> bytes:
    """Say what was raised and at which line of the method; MemoryError and its relatives apart."""
    kind = type(error).__name__
    try:
        text = str(error)
    except BaseException:  # an exception of the method's own may refuse to be printed
        text = ""
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == FILE]
    place = f" at line {lines[-1]} of the method" if lines else ""
    if isinstance(error, SyntaxError) and error.filename == FILE:
        return b"I" + _note(f"the method does not compile: {error.msg} at line {error.lineno}")
    if isinstance(error, MemoryError) or any(sign in text.lower() for sign in OUT_OF_MEMORY):
        return b"M" + _note(f"{kind}{place}: {text}", _calls(error))
    if isinstance(error, OSError) or any(sign in text for sign in REFUSED):
        return b"C" + _note(f"{kind}{place}: {text[:200]} ({ALONE})", _calls(error))
    return b"C" + _note(f"{kind}{place}: {text}", _calls(error))


def _calls(error: BaseException) -> str:
    """Return where an exception came from, the innermost calls, one a line."""
    frames = [
        (frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename != __file__
    ]
    names = [(code.co_filename.rpartition("-packages/")[2], line, code.co_name) for code, line in frames[-CALLS:]]
    return "".join(f"\n{name}, line {line}, in {function}" for name, line, function in names)


def _note(sentence: str, calls: str = "") -> bytes:
    """Return a sentence on the first line, and what follows."""
    return (" ".join(sentence.split())[: NOTE // 4] + calls).encode(errors="replace")[:NOTE]


def _floats(returned: object, n_test: int, classes: int) -> np.ndarray:
    """Turn what a method returned into (n_test, n_classes) float32 probabilities. Raises Invalid with a sentence."""
    expected = f"({n_test},) P(y = 1) or ({n_test}, {classes})" if classes == 2 else f"({n_test}, {classes})"
    if isinstance(returned, torch.Tensor):
        if returned.is_complex():
            raise Invalid(f"the method returned complex numbers, expected probabilities of shape {expected}")
        plain = returned.detach().to("cpu")
        values = (plain.float() if plain.is_floating_point() else plain).numpy()
    elif isinstance(returned, np.ndarray):
        values = returned
    else:
        raise Invalid(f"the method returned {type(returned).__name__}, expected a tensor or an array of shape {expected}")
    if values.dtype.kind not in "fiub":
        raise Invalid(f"the method returned an array of {values.dtype}, expected real numbers of shape {expected}")
    if values.shape != (n_test, classes) and not (classes == 2 and values.shape == (n_test,)):
        raise Invalid(f"the method returned shape {tuple(values.shape)}, expected {expected}")
    values = values.astype(np.float32)
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise Invalid(f"the method returned {bad} values that are not finite, expected probabilities of shape {expected}")
    if values.size and (values.min() < -ROUNDING or values.max() > 1 + ROUNDING):
        raise Invalid(f"the method returned values from {values.min():.4g} to {values.max():.4g}, expected [0, 1]")
    values = values.clip(0, 1)
    if values.ndim == 1:
        values = np.stack([1 - values, values], 1)
    return np.ascontiguousarray(values, dtype="<f4")


def _write(pipe: int, stream: bytes) -> None:
    rest = memoryview(stream)
    with contextlib.suppress(OSError):  # the method closed its pipe, or nobody reads any more: an empty answer says so
        fcntl.fcntl(pipe, fcntl.F_SETFL, 0)  # blocking again, whatever the method made of it
        while rest:
            rest = rest[os.write(pipe, rest) :]
