"""Where methods compute: how a GPU is found, which walls a child with CUDA has, and that nothing strays to another device."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import elsewhere
import numpy as np
import pytest
import torch
from small_problem import LIMITS, make_problem

from fitness.contracts.probabilities import PROBABILITIES
from fitness.nouns import DeviceUnavailable, Status
from fitness.sandbox import launch, nvidia
from fitness.sandbox.device import DeviceChoice, Gpu, choose, find
from fitness.sandbox.inside import zygote
from fitness.sandbox.inside.student import Student
from fitness.sandbox.inside.walls import landlock_abi
from fitness.sandbox.sandbox import Sandbox, opened
from fitness.sandbox.supervisor import EXIT, START, ChildRecord, Supervisor, resident
from fitness.sandbox.verdict import verdict

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[3]
SEEDS = sorted(ROOT.glob("seeds/*.py"))
IMAGINARY = Gpu("imaginary GPU", f"GPU-{uuid.UUID(int=0)}", 1 << 30, nvidia.mapped("/libc.so"), ("/dev/zero",))
MIB = 1 << 20


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[str, list[str]], Callable[[], Gpu]]:
    """Lay out device nodes and a PyTorch of some build; return how to look for a GPU there."""

    def lay_out(cuda: str, nodes: list[str]) -> Callable[[], Gpu]:
        for folder in ("dev", "torch"):
            (tmp_path / folder).mkdir()
        for node in nodes:
            (tmp_path / "dev" / node).touch()
        text = f"__all__ = ['__version__', 'cuda']\n__version__ = '2.13.0'\ncuda: Optional[str] = {cuda}\nhip = '7.0'\n"
        (tmp_path / "torch" / "version.py").write_text(text)
        return lambda: find(tmp_path / "dev", tmp_path / "torch")

    return lay_out


@pytest.mark.parametrize(
    ("cuda", "nodes", "sentence"),
    [
        ("'13.0'", ["null", "dri"], "no NVIDIA device was found"),
        ("None", ["nvidiactl", "nvidia0"], "PyTorch is a CPU build: install one for CUDA, see docs/gpu.md"),
    ],
)
def test_the_reason_why_there_is_no_gpu_is_a_sentence(machine: Any, cuda: str, nodes: list[str], sentence: str) -> None:
    with pytest.raises(DeviceUnavailable, match=f"^{sentence}$"):
        machine(cuda, nodes)()


def test_nodes_and_a_build_for_cuda_are_not_believed_without_the_driver(machine: Any) -> None:
    if Path("/dev/nvidiactl").exists():
        pytest.skip("a machine without NVIDIA's driver")
    with pytest.raises(DeviceUnavailable, match=r"the library of NVIDIA's driver cannot be loaded \(libcuda"):
        machine("'13.0'", ["nvidiactl", "nvidia0"])()


def test_looking_for_a_gpu_needs_no_torch() -> None:
    code = "import sys; from fitness.sandbox.device import choose; choose('auto'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_auto_falls_back_with_a_sentence_and_cuda_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/dev/nvidiactl").exists():
        pytest.skip("a machine without NVIDIA's driver")
    assert choose("auto") == DeviceChoice(None, "methods run on the CPU: no NVIDIA device was found")
    assert choose("cpu") == DeviceChoice(None)
    with pytest.raises(DeviceUnavailable, match=r"cannot run on a GPU here: no NVIDIA device was found; .* --device cpu"):
        choose("cuda")


@pytest.fixture
def _quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "IMPORTS", ())


@pytest.mark.usefixtures("_quick_start")
def test_a_gpu_on_which_cuda_does_not_start_behind_the_walls_is_not_taken(level: str) -> None:
    """Every wall goes up, with the node in Landlock and bubblewrap, and torch is the first that says no."""
    with pytest.raises(DeviceUnavailable, match=r"CUDA does not work on the imaginary GPU behind the walls: .*(CUDA|GPU)"):
        Sandbox(level, IMAGINARY)


@pytest.mark.usefixtures("_quick_start")
def test_auto_then_runs_methods_on_the_cpu_and_says_why(reached: tuple[str, ...]) -> None:
    if not reached:
        pytest.skip("sandbox level B (see `python -m evolve doctor`)")
    with opened(DeviceChoice(IMAGINARY)) as sandbox:
        assert sandbox.device == "cpu"
        assert sandbox.note.startswith("methods run on the CPU: CUDA does not work on the imaginary GPU")
        assert sandbox.run("def method(p): return p.test_x[:, 0].sigmoid()", make_problem(), LIMITS).status is Status.OK
    with pytest.raises(DeviceUnavailable, match="imaginary GPU"):
        opened(DeviceChoice(IMAGINARY, strict=True))


def test_the_zygote_notices_a_device_that_an_import_opened() -> None:
    assert zygote._held(["/dev/zero"]) == ""
    with open("/dev/zero"):
        assert zygote._held(["/dev/full", "/dev/zero"]) == "/dev/zero"


WALLS = """
import errno, fcntl, os, sys, threading
from fitness.sandbox import launch
from fitness.sandbox.inside import walls
from fitness.sandbox.inside.cuda import Cuda
def attempt(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"
def entropy(path):
    with open(path) as node:
        fcntl.ioctl(node, 0x80045200, bytes(4))  # RNDGETENTCNT
def name(path):
    with open(path, "w") as comm:
        comm.write("cuda-EvtHandlr")
Cuda(["/usr/lib", "/dev/random"], [], ["/dev/urandom"], "").enter_landlock()
ready, go, seen = threading.Event(), threading.Event(), []
def other():
    seen.append(threading.get_native_id())
    ready.set()
    go.wait()
    seen.append(attempt(lambda: os.memfd_create("x")))
thread = threading.Thread(target=other, daemon=True)
thread.start()
ready.wait()
results = [
    attempt(lambda: os.memfd_create("x")),
    attempt(lambda: entropy("/dev/urandom")),
    attempt(lambda: entropy("/dev/random")),
    attempt(lambda: name(f"/proc/self/task/{seen[0]}/comm")),
    attempt(lambda: open("/proc/self/maps").close()),
    attempt(lambda: name("/proc/self/oom_score_adj")),
    attempt(lambda: open(f"/proc/{os.getppid()}/status").close()),
    attempt(lambda: open("/dev/zero").close()),
]
walls.enter_seccomp(launch.seccomp_program())
go.set()
thread.join()
print(*results, seen[1])
"""


def test_cuda_gets_its_nodes_and_its_own_threads_and_seccomp_holds_for_threads_that_were_there(
    reached: tuple[str, ...],
) -> None:
    if not reached:
        pytest.skip("sandbox level B (see `python -m evolve doctor`)")
    walls = WALLS.replace("launch.seccomp_program()", repr(launch.seccomp_program()))  # it cannot be read any more in there
    done = subprocess.run([sys.executable, "-c", walls], cwd=ROOT, capture_output=True, text=True, timeout=60)
    ungranted = "done" if landlock_abi() < 5 else "EACCES"  # older kernels do not know the right
    assert done.stdout.split() == ["done", "done", ungranted, "done", "done", "EACCES", "EACCES", "EACCES", "EPERM"], (
        done.stderr
    )


HOLDS = """
import sys
held = []
print("ready", flush=True)
sys.stdin.readline()
for _ in range(8):
    held.append(b"x" * (16 << 20))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def watched(child: subprocess.Popen[bytes], memory: int, meter: Callable[[int], int], seconds: float = 20.0) -> ChildRecord:
    """Watch a child whose method begins now and takes 128 MiB; it says nothing."""
    stdin = child.stdin
    assert stdin is not None
    limits = dataclasses.replace(LIMITS, memory=memory, seconds=seconds)
    ours, zygotes = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    (result, result_end), (output, output_end), pidfd = os.pipe(), os.pipe(), os.pidfd_open(child.pid)
    for end in (result_end, output_end):
        os.close(end)
    socket.send_fds(zygotes, [b"F"], [pidfd])
    zygotes.sendall(START.pack(b"R", time.monotonic()))
    reporting = threading.Thread(target=lambda: zygotes.sendall(EXIT.pack(b"X", child.wait() and signal.SIGKILL)))
    reporting.start()
    empty: list[int] = []

    def weigh(pid: int) -> int:
        held = meter(pid)
        if not empty:
            empty.append(held)
            stdin.write(b"go\n")
            stdin.flush()
        return held

    try:
        return Supervisor(result, output, ours, 100, limits, {"memory": weigh}).collect()
    finally:
        child.kill()
        reporting.join()
        for descriptor in (result, output, pidfd):
            os.close(descriptor)
        ours.close()
        zygotes.close()


def test_a_child_that_holds_too_much_is_killed_from_outside(child: subprocess.Popen[bytes]) -> None:
    seen = watched(child, 64 * MIB, resident)
    assert child.wait(20) == -signal.SIGKILL
    outcome = verdict(seen, PROBABILITIES.answer, (3, 2), dataclasses.replace(LIMITS, memory=64 * MIB))
    assert (outcome.status, outcome.message) == (Status.OUT_OF_MEMORY, "the method held more than 64 MiB of memory")


def test_a_child_that_holds_what_it_may_is_left_alone(child: subprocess.Popen[bytes]) -> None:
    assert watched(child, 512 * MIB, resident, seconds=1.0).stopped == "time"
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"


def test_a_child_that_cannot_be_weighed_is_stopped_and_not_blamed(child: subprocess.Popen[bytes]) -> None:
    def broken(pid: int) -> int:
        raise OSError("the driver is gone")

    seen = watched(child, 512 * MIB, broken)
    assert verdict(seen, PROBABILITIES.answer, (3, 2), LIMITS).status is Status.LOST


def test_a_gpu_that_others_filled_is_not_the_methods_fault() -> None:
    seen = ChildRecord(
        bytearray(b"M" + bytes(1024) + b"OutOfMemoryError: CUDA out of memory"), forked=True, started=True, exit=0
    )
    assert verdict(seen, PROBABILITIES.answer, (3, 2), LIMITS).status is Status.OUT_OF_MEMORY
    outcome = verdict(dataclasses.replace(seen, crowded=True), PROBABILITIES.answer, (3, 2), LIMITS)
    assert (outcome.status, outcome.message) == (
        Status.LOST,
        "others held so much of the GPU's memory that 1024 MiB were not left",
    )


@pytest.fixture
def second_device() -> Iterator[torch.device]:
    if not elsewhere.AVAILABLE:
        pytest.skip("a second device made of Python (needs a newer torch)")
    with elsewhere.SecondDevice():
        yield elsewhere.DEVICE


def given(device: torch.device) -> Any:
    """A problem with pairs, as the runner hands it to a method, on a device."""
    problem = make_problem(pairs=True)
    named = {name: torch.from_numpy(problem[name].copy()).to(device) for name in ("train_x", "weak", "test_x", "pairs")}
    return SimpleNamespace(**named, seed=problem.seed, n_classes=2, device=device, student=Student(problem.seed, 2))


def test_the_second_device_refuses_what_cuda_refuses(second_device: torch.device) -> None:
    x = torch.ones(3)
    assert (x.to(second_device) + 1).device == second_device
    with pytest.raises(RuntimeError, match="on two devices"):
        x.to(second_device) + x


@pytest.mark.parametrize("path", SEEDS, ids=[path.stem for path in SEEDS])
def test_each_seed_and_the_student_stay_on_the_device_of_the_problem(path: Path, second_device: torch.device) -> None:
    namespace: dict[str, Any] = {}
    exec(compile(path.read_text(), path.name, "exec"), namespace)
    there = namespace["method"](given(second_device))
    assert there.device == second_device
    here = namespace["method"](given(torch.device("cpu")))
    assert torch.equal(there.detach().to("cpu"), here.detach())


def test_a_student_takes_arrays_and_targets_from_elsewhere(second_device: torch.device) -> None:
    x, student = torch.randn(40, 4), Student(0, 2)
    targets, weights = (x[:, 0] > 0).long(), torch.ones(40)
    predictor = student.fit(x.to(second_device), targets.numpy(), weights, epochs=1)
    assert predictor(x.numpy()).device == predictor(x).device == second_device
    assert student.fit(x.numpy(), np.zeros(40), epochs=1)(x).device == torch.device("cpu")
