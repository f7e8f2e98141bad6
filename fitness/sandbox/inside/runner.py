"""Runs one trial in one child: it takes its inputs, puts up its walls, runs the method, writes floats and exits.

What it writes on the result pipe is one kind byte, the block of the method's notes (notes.py) and a payload. b"P": exactly
the answer's float32, little endian. b"I", b"C", b"M": the method's result was invalid, it raised, it ran out of memory; the
payload is a sentence of at most NOTE bytes. The method can write there too. All it can reach that way is a wrong prediction, a
wrong note or a failure of its own: the trusted side takes one such stream of exactly the right length, checks every float, and
calls anything else a VIOLATION.

Loaded inside the sandbox; imports nothing of ours but the walls, the students, the notes and what starts CUDA.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import linecache
import math
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
from itertools import pairwise
from types import ModuleType
from typing import Any, NoReturn

import numpy as np
import torch

from . import walls
from .finetune import FineTuningStudent
from .notes import Notes
from .student import Student

NOTE, CALLS = 2000, 12  # bytes of a sentence and the calls behind it; how many of these
MESSAGE, DESCRIPTORS = 1 << 16, 5  # as in zygote.py
START = struct.Struct("<cd")  # b"R", the monotonic clock
ROUNDING = 1e-5  # how far outside of its range float arithmetic may carry an honest answer, for ends up to 1; it is clipped
FILE = "method.py"  # how tracebacks name the method
ALONE = "a method works in memory and in one process: there are no files to write or to load, no network, no other processes"
REFUSED = (  # what torch says where Python would raise an OSError
    *(os.strerror(number) for number in (errno.EPERM, errno.EACCES, errno.ENOENT, errno.EROFS)),
    *("cannot be opened", "Parent directory"),
)
LANGUAGE_MODEL = list[Any]()  # that the zygote loaded for its children, one or none
OUT_OF_MEMORY = (
    *("can't allocate memory", "cannot allocate memory", "bad_alloc", "not enough memory", "unable to allocate"),
    *("cuda out of memory", "cuda error: out of memory", "cublas_status_alloc_failed"),
    "nvml_success",  # how torch fails when it wants to say how full the GPU is, and may not ask
)


class MethodProblem:
    """What a method is handed, as its contract says.

    Attributes:
        NAME: each array of the contract, a tensor or a list of strings; None where the instance lacks it.
        NAME: each size that the method is told, an int.
        seed: the trial's seed.
        device: where the tensors are.
        student: the default strong student, where the contract has one; it fine-tunes a language model where one was loaded.
        note: takes a name and a number of the method's own, for whoever wrote it.
    """

    seed: int
    device: torch.device
    student: Student | FineTuningStudent
    note: Notes

    def __init__(self, request: dict[str, Any], arrays: dict[str, Any]) -> None:
        self.__dict__ |= dict.fromkeys(request["absent"]) | arrays | request["numbers"]
        self.seed, self.device, self.note = request["seed"], torch.device("cpu"), Notes()
        if request["tuned"] and LANGUAGE_MODEL:
            rows = {name: (arrays[name], arrays[tokens]) for name, tokens in request["tuned"]}
            first, second = arrays[request["answer_tokens"]].tolist()
            self.student = FineTuningStudent(self.seed, LANGUAGE_MODEL[0], rows, (first, second), self.note)
        elif request["classes"]:
            self.student = Student(self.seed, request["classes"])


class Invalid(Exception):
    """What the method returned is no answer of the contract."""


def run(orders: socket.socket, around: Any) -> NoReturn:
    """Wait for one trial, run it in this process and exit.

    Raises only before the method's first line: the caller reports our fault.
    """
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a method cannot send one: as a KeyboardInterrupt it would look like its own
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and what a method meets is the same everywhere
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
    answer = _answer(source, problem, request)
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

    def tensor(start: int, shape: list[int], kind: str) -> torch.Tensor:
        dtype: torch.dtype = getattr(torch, kind)
        if 0 in shape:
            return torch.empty(shape, dtype=dtype)
        return torch.frombuffer(held, dtype=dtype, count=math.prod(shape), offset=start).reshape(shape)

    arrays: dict[str, Any] = {name: tensor(*place) for name, place in request["arrays"].items()}
    for name in request["texts"]:
        letters, ends = arrays[name].numpy().tobytes(), arrays.pop(f"{name}.offsets").tolist()
        arrays[name] = [letters[start:end].decode() for start, end in pairwise(ends)]
    return MethodProblem(request, arrays)


def _upload(problem: MethodProblem, device: torch.device) -> None:
    """Move a problem to a device: a copy that is this child's alone."""
    problem.device = device
    for name, value in list(vars(problem).items()):
        if isinstance(value, torch.Tensor):
            setattr(problem, name, value.to(device))


def _seed(seed: int) -> None:
    """Seed the global generators: a courtesy to methods that forget to, so that every run can be repeated.

    torch.manual_seed would also look for every other kind of device, for 4 ms.
    """
    torch.set_num_threads(1)
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def _answer(source: str, problem: MethodProblem, request: dict[str, Any]) -> bytes:
    """Run the method; return the kind byte and the payload for the result pipe, whatever happened."""
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
            return b"P" + _floats(returned, request).tobytes()
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


def _floats(returned: object, request: dict[str, Any]) -> np.ndarray:
    """Turn what a method returned into float32 of the answer's shape and range. Raises Invalid with a sentence."""
    shape, meaning, single = tuple(request["answer"]), request["meaning"], bool(request["single"])
    short = shape[:-1] if single and shape[-1] == 2 else None
    expected = f"{shape}" if short is None else f"{short} {request['single']} or {shape}"
    if isinstance(returned, torch.Tensor):
        if returned.is_complex():
            raise Invalid(f"the method returned complex numbers, expected {meaning} of shape {expected}")
        plain = returned.detach().to("cpu")
        values = (plain.float() if plain.is_floating_point() else plain).numpy()
    elif isinstance(returned, np.ndarray):
        values = returned
    else:
        raise Invalid(f"the method returned {type(returned).__name__}, expected a tensor or an array of shape {expected}")
    if values.dtype.kind not in "fiub":
        raise Invalid(f"the method returned an array of {values.dtype}, expected real numbers of shape {expected}")
    if values.shape not in (shape, short):
        raise Invalid(f"the method returned shape {tuple(values.shape)}, expected {expected}")
    values = values.astype(np.float32)
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise Invalid(f"the method returned {bad} values that are not finite, expected {meaning} of shape {expected}")
    values = _within(values, request)
    if values.shape == short:
        values = np.stack([1 - values, values], -1)
    return np.ascontiguousarray(values, dtype="<f4")


def _within(values: np.ndarray, request: dict[str, Any]) -> np.ndarray:
    """Clip what rounding carried out of the answer's range. Raises Invalid for what it did not."""
    low, high = request["low"], request["high"]
    ends = [end for end in (low, high) if end is not None]
    if not ends or not values.size:
        return values
    slack, least, most = ROUNDING * max(1.0, *map(abs, ends)), values.min(), values.max()
    if (low is not None and least < low - slack) or (high is not None and most > high + slack):
        raise Invalid(f"the method returned values from {least:.4g} to {most:.4g}, expected {request['limits']}")
    return values.clip(low, high)


def _write(pipe: int, stream: bytes) -> None:
    rest = memoryview(stream)
    with contextlib.suppress(OSError):  # the method closed its pipe, or nobody reads any more: an empty answer says so
        fcntl.fcntl(pipe, fcntl.F_SETFL, 0)  # blocking again, whatever the method made of it
        while rest:
            rest = rest[os.write(pipe, rest) :]
