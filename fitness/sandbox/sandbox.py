"""Runs methods in the children of one warm zygote, which it keeps alive: the trusted side of the sandbox."""

from __future__ import annotations

import ctypes
import json
import math
import os
import socket
import threading
from collections.abc import Collection
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType

import numpy as np

from fitness.contracts import probabilities
from fitness.contracts.contract import Problem
from fitness.nouns import DeviceUnavailable, Limits, Outcome, SandboxUnavailable, Status
from fitness.sandbox import launch, telling
from fitness.sandbox.canary import Canary
from fitness.sandbox.device import DeviceChoice, Gpu, on_the_cpu
from fitness.sandbox.doctor import CONTAINED, LEVELS, Diagnosis, diagnose
from fitness.sandbox.inside.notes import BLOCK
from fitness.sandbox.nvidia import Meter
from fitness.sandbox.optional import absent
from fitness.sandbox.supervisor import ChildRecord, Supervisor, resident
from fitness.sandbox.transfer import Request, Sheet, pack, sealed
from fitness.sandbox.verdict import THEFT, verdict
from fitness.sandbox.warm import Zygote

START_ATTEMPTS = 3
ACCUSATIONS = 2  # thefts seen, each of another decoy, before a method is held to be a thief
_PR_SET_DUMPABLE = 4
TRY_OUT = """
import torch
def method(problem):
    x = problem.train_x
    slopes = torch.zeros(x.shape[1], 2, device=x.device, requires_grad=True)
    (x @ slopes).log_softmax(1).mean().backward()
    return problem.student.fit(x, problem.weak, epochs=1)(problem.test_x) + 0 * slopes.grad.sum()
"""


def opened(choice: DeviceChoice, trust: bool = False, model: str = "") -> Sandbox:
    """Start a sandbox where methods compute as chosen, or on the CPU if the GPU fails behind the walls and need not be taken.

    With `trust`, below level B too; `model` is the folder of a language model that problem.student fine-tunes. Raises
    SandboxUnavailable, and DeviceUnavailable when the GPU was asked for by name.
    """
    if choice.gpu is None or choice.strict:
        return Sandbox(gpu=choice.gpu, note=choice.note, trust=trust, model=model)
    try:
        return Sandbox(gpu=choice.gpu, trust=trust, model=model)
    except (DeviceUnavailable, SandboxUnavailable) as error:
        return Sandbox(note=on_the_cpu(error), trust=trust, model=model)


class Sandbox:
    """Runs methods, each in a fresh child behind walls. A context manager; `run` may be called from several threads at once.

    Attributes:
        level: "A" (namespaces, Landlock, seccomp), "B" (Landlock, seccomp), or where methods are trusted "C" (namespaces,
            seccomp) and "none" (what walls there are).
        summary: the level and what this machine lacks, as a sentence.
        device: where methods compute: "cpu" or "cuda".
        note: why on the CPU, as a sentence, where a GPU would have been taken.
    """

    def __init__(
        self, level: str | None = None, gpu: Gpu | None = None, note: str = "", *, trust: bool = False, model: str = ""
    ) -> None:
        """Start a zygote at a level, or at the best one there is, for methods that compute on a GPU or on the CPU.

        Below level B only with `trust`, and on the CPU. Raises SandboxUnavailable, and DeviceUnavailable when CUDA does not
        work behind the walls.
        """
        if level not in (None, *LEVELS):
            raise ValueError(f"level is {level!r}, expected one of {', '.join(LEVELS)} or None")
        found = diagnose()
        self.level, self.summary = _reach(found, level, trust), found.summary
        if gpu is not None and self.level not in CONTAINED:
            raise DeviceUnavailable(f"a GPU needs sandbox level B, and this machine reaches level {self.level}")
        self.device, self.note = "cpu" if gpu is None else "cuda", note
        self._lock = threading.Lock()
        self._closed = False
        self._meter: Meter | None = None
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # no process of this user may look into this one
        with ExitStack() as unfinished:
            decoys = launch.DECOYS if self.level == "A" else ""
            self._canary = unfinished.enter_context(closing(Canary(Path(decoys) if decoys else None)))
            inner = launch.interior(gpu)
            inner = replace(inner, roots=(*inner.roots, str(self._canary.folder)), decoys=decoys, model=model)
            self._command = (launch.bubbled if self.level in ("A", "C") else launch.plain)(inner, "zygote")
            self._settings = _settings(inner, found.down)
            self._zygote = self._start()
            unfinished.pop_all()
        if gpu is not None:
            with ExitStack() as unfinished:
                unfinished.callback(self.close)
                self._try_out(gpu)
                self._meter = _meter(gpu)
                unfinished.pop_all()

    def run(self, source: str, problem: Problem, limits: Limits) -> Outcome:
        """Run a method once on a problem.

        Whatever the method does is an Outcome; what goes wrong on our side is LOST. Raises SandboxUnavailable only when the
        zygote died and could not be started again.
        """
        accusations = 0
        for _ in range(ACCUSATIONS + 1):  # with a new decoy each: somebody else may have opened one
            outcome, opened, accused = self._run(source, problem, limits)
            accusations += accused
            if accusations == ACCUSATIONS:
                return Outcome(Status.VIOLATION, None, outcome.seconds, THEFT)
            if not opened:
                break
        if telling.needed(outcome):
            on_noise, *_ = self._run(source, telling.noise(problem), telling.patience(outcome, limits))
            return telling.told(outcome, on_noise, source, problem.contract.answer)
        return outcome

    def _run(self, source: str, problem: Problem, limits: Limits) -> tuple[Outcome, bool, bool]:
        """Run a method in one child; tell too whether its decoy was opened, and whether by the method."""
        expected, shape = problem.contract.answer, problem.shape
        with ExitStack() as ours:
            try:
                decoy = ours.enter_context(self._canary.planted())
                inputs, request = pack(problem, limits, str(decoy.home))
                with ExitStack() as given:
                    result, output, report = self._launch(source, inputs, request, ours, given)
            except OSError as error:
                sentence = f"the method could not be handed to the sandbox: {error}"
                return Outcome(Status.LOST, None, 0.0, sentence), False, False
            meters = {} if self._meter is None else {"memory": resident, "the GPU's memory": self._meter.held}
            seen = Supervisor(result, output, report, 1 + BLOCK + 4 * math.prod(shape), limits, meters).collect()
            opened, accused = self._canary.opened(decoy), self._canary.accuses(decoy)
            seen.crowded = self._meter is not None and _crowded(self._meter, seen, limits)
        return verdict(seen, expected, shape, limits), opened, accused

    def _launch(
        self, source: str, inputs: Sheet, request: Request, ours: ExitStack, given: ExitStack
    ) -> tuple[int, int, socket.socket]:
        """Hand a run to the zygote; return where its result, its output and its end can be read. Raises OSError.

        What is read here closes with `ours`, what the child holds copies of with `given`.
        """
        code = sealed([source.encode(errors="replace")])
        given.callback(os.close, code)
        result, result_end = _pipe(ours, given)
        output, output_end = _pipe(ours, given)
        report, report_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.enter_context(report)
        given.enter_context(report_end)
        message = json.dumps(asdict(request)).encode()
        descriptors = [inputs.descriptor, code, result_end, output_end, report_end.fileno()]
        with self._lock:
            if self._closed:
                raise BrokenPipeError("it was closed")
            if not self._zygote.alive():
                self._zygote.close()
                self._zygote = self._start()
            socket.send_fds(self._zygote.control, [message], descriptors)
        return result, output, report

    def _try_out(self, gpu: Gpu) -> None:
        """Run a method of ours that does what methods do on a GPU. Raises DeviceUnavailable."""
        rng = np.random.default_rng(0)
        x, weak = rng.standard_normal((64, 8), dtype=np.float32), np.full((64, 2), 0.5, np.float32)
        outcome = self.run(TRY_OUT, probabilities.problem(x, weak, x), Limits())
        if outcome.status is not Status.OK:
            raise DeviceUnavailable(f"CUDA does not work on the {gpu.name} behind the walls: {outcome.message}")

    def close(self) -> None:
        """End the zygote and every child; what was in flight is LOST."""
        with self._lock:
            closed, self._closed = self._closed, True
            if not closed:
                self._zygote.close()
                self._canary.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _start(self) -> Zygote:
        for attempt in range(START_ATTEMPTS):
            try:
                zygote = Zygote(self._command, self._settings)
                for folder in zygote.given:
                    self._canary.move(folder)
                return zygote
            except SandboxUnavailable:
                if attempt == START_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")


def _reach(found: Diagnosis, wanted: str | None, trust: bool) -> str:
    """Return the level to run at. Raises SandboxUnavailable with what is missing, and what it would mean to trust methods."""
    level = wanted or found.level
    reached = CONTAINED[CONTAINED.index(found.level) :] if found.level in CONTAINED else (found.level,) if found.usable else ()
    if level in reached and (trust or level in CONTAINED):
        return level
    down = "; ".join(f"{name}: {detail}" for name, detail in found.down.items())
    sentence = f"sandbox level {wanted or 'A or B'} cannot be reached on this machine ({down})"
    if level in reached:
        sentence += f"; --trust-methods runs methods nevertheless, with the walls there are: {found.dangers}"
    raise SandboxUnavailable(sentence)


def _settings(inner: launch.Interior, down: Collection[str]) -> bytes:
    """Return what a zygote is told once; `down` are the walls that this machine lacks."""
    readable, listable = launch.grants(inner)
    settings = {
        "sites": inner.sites,
        "environment": dict(inner.environment),
        "imports": launch.IMPORTS,
        "absent": absent(bool(inner.model)),
        "readable": readable,
        "listable": listable,
        "program": "" if "seccomp" in down else launch.seccomp_program(bool(inner.devices)).hex(),
        "landlock": "landlock" not in down,
        "devices": inner.devices,
        "library": inner.library,
        "decoys": inner.decoys,
        "model": inner.model,
    }
    return json.dumps(settings).encode()


def _meter(gpu: Gpu) -> Meter:
    try:
        return Meter(gpu.uuid)
    except OSError as error:
        raise DeviceUnavailable(f"the memory that methods hold on the GPU cannot be watched ({error})") from error


def _crowded(meter: Meter, seen: ChildRecord, limits: Limits) -> bool:
    """Tell whether a method found the GPU full before it had what it may have: then others hold it, and it is not to blame."""
    try:
        return seen.result[:1] == b"M" and meter.free() + meter.held(seen.pid) < limits.memory
    except OSError:
        return False


def _pipe(ours: ExitStack, given: ExitStack) -> tuple[int, int]:
    """Return a new pipe's read end, closed with `ours`, and its write end, closed with `given`."""
    read, write = os.pipe2(os.O_CLOEXEC)
    ours.callback(os.close, read)
    given.callback(os.close, write)
    return read, write
