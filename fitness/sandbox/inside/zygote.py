"""Imports torch and numpy once, never sees a label, and forks one child per request, ahead of it: the zygote.

Started by sandbox.py as `python -I -S -c ... <folder> <descriptor>` with an empty environment. It imports, it forks, it reaps:
it runs no parallel operation, because one parallel region before the fork would hang every child.

On its control socket (SOCK_SEQPACKET): first the settings (JSON), answered by b"ready", with a descriptor of the folder of
decoys if there is one; then one message per run, JSON with five descriptors: inputs, source, result, output, report. The child
that takes the run is already there, waiting at a socket of its own, and the next one is forked as soon as it has gone on. The
zygote answers on the run's own report socket: b"F" with the child's pidfd, then, when the child has ended, b"X" with its wait
status. Between the two the child itself sends b"R" there, with the time, once every wall is up, and closes
it before the method's first line: what a method does cannot look like our fault.

It exits when the control socket closes, and its children die with it.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import socket
import struct
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from . import walls
from .cuda import Cuda

EXIT = struct.Struct("<cq")  # b"X", wait status
DESCRIPTORS = 5  # inputs, source, result, output, report
MESSAGE = 1 << 16  # bytes of a request, at most
HUGE_PAGE, MADV_HUGEPAGE, MADV_COLLAPSE = 2 << 20, 14, 25
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
ROOM = 64 << 20  # bytes of heap that a child finds empty
LARGE = 32 << 20  # bytes up to which memory comes from the heap; the allocator takes no larger threshold
SETUP_FAILED = 97  # the child's exit status when a wall did not go up


@dataclass(frozen=True)
class ZygoteSettings:
    """What the zygote is told once.

    Attributes:
        sites: folders to import libraries from.
        environment: the whole environment, for the libraries' switches.
        imports: modules to import before the first fork, beside torch and numpy.
        absent: top-level names of libraries that are installed, and are not there for the others.
        readable: trees a child may read.
        listable: folders whose names a child may list.
        program: the seccomp filter, hexadecimal; empty where there is no seccomp and methods are trusted.
        landlock: whether there is Landlock; false only where methods are trusted.
        devices: the nodes of the GPU that methods compute on; none for the CPU.
        library: the library of that GPU's driver.
        decoys: a folder in memory, empty, that the trusted process is handed; "" for none.
        model: the folder of a language model that is loaded before the first fork; "" for none.
    """

    sites: list[str]
    environment: dict[str, str]
    imports: list[str]
    absent: list[str]
    readable: list[str]
    listable: list[str]
    program: str
    landlock: bool
    devices: list[str]
    library: str
    decoys: str
    model: str


@dataclass(frozen=True)
class Walls:
    """What a child needs to put its walls up: a Landlock ruleset (-1: none), a seccomp program (empty: none); to start CUDA."""

    rules: int
    program: bytes
    cuda: Cuda | None


@dataclass(frozen=True)
class Child:
    """A child that waits for its run, and the socket at which it waits."""

    pid: int
    pidfd: int
    orders: socket.socket


@dataclass(frozen=True)
class Running:
    """A child under way, and the socket on which its end is reported."""

    pid: int
    report: socket.socket


class Finder:
    """Finds the modules of libraries, but for some that are installed and absent here."""

    find_distributions, invalidate_caches = (
        staticmethod(PathFinder.find_distributions),
        staticmethod(PathFinder.invalidate_caches),
    )

    def __init__(self, absent: list[str]) -> None:
        self._absent = frozenset(absent)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where a module is, None where it is not, or is absent."""
        return None if name in self._absent else PathFinder.find_spec(name, path, target)


def main() -> None:
    """Warm up, answer b"ready", serve until the control socket closes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    message = control.recv(1 << 20)
    if not message:
        os._exit(0)
    settings = ZygoteSettings(**json.loads(message))
    runner = _warm(settings)
    rules = walls.ruleset(settings.readable, settings.listable) if settings.landlock else -1
    cuda = Cuda(settings.readable, settings.listable, settings.devices, settings.library) if settings.devices else None
    around = Walls(rules, bytes.fromhex(settings.program), cuda)
    walls.drop_capabilities()
    if held := _held(settings.devices):
        sys.exit(f"the zygote holds {held} after its imports: its children could not start CUDA")
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        sys.exit(f"the zygote has {threads} threads after its imports: a fork would hang")
    gc.collect()
    gc.freeze()
    _collapse()
    _make_room()
    spare = _fork(around, runner)
    decoys = [os.open(settings.decoys, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)] if settings.decoys else []
    socket.send_fds(control, [b"ready"], decoys)
    for folder in decoys:
        os.close(folder)
    _serve(control, spare, around, runner)


def _warm(settings: ZygoteSettings) -> ModuleType:
    """Import everything a method is likely to import, have libraries look at what no child may see, and import the runner."""
    sys.argv[:] = [""]
    sys.path.extend(settings.sites)
    os.environ.clear()
    os.environ.update(settings.environment)
    tempfile.tempdir = "/nonexistent"  # there is nowhere to write, and some imports look for a place
    sys.meta_path[sys.meta_path.index(PathFinder)] = Finder(settings.absent)
    for name in ("numpy", "torch", *settings.imports):
        importlib.import_module(name)
    importlib.import_module("torch.backends.cpu").get_cpu_capability()  # a child could not find out, and would do without AVX
    importlib.import_module("sklearn.cluster").KMeans(1, n_init=1, random_state=0).fit([[0.0], [1.0]])  # nor which BLAS it has
    importlib.import_module(".serial", __package__).keep_to_one_process()
    runner = importlib.import_module(".runner", __package__)
    if settings.model:
        runner.LANGUAGE_MODEL.append(importlib.import_module(".finetune", __package__).preloaded(settings.model))
    sys.modules[str(__package__)].__path__ = []  # nothing more is loaded from our folder
    return runner


def _held(devices: list[str]) -> str:
    """Return the first of some devices that this process has open, or ""."""
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the one that listed them
            if (path := os.readlink(f"/proc/self/fd/{descriptor}")) in devices:
                return path
    return ""


def _collapse() -> None:
    """Ask for huge pages under what was imported: a fork then copies far fewer table entries (24 -> 7 ms).

    Only a wish: kernels before 6.1 do not know it, and a full machine may refuse.
    """
    _advise(MADV_COLLAPSE, "", "[heap]")


def _make_room() -> None:
    """Give children a heap with room in huge pages, and let it keep what is freed.

    Else every large array of a method's is mapped anew, a page of 4 KB at a time, and unmapped again. Only a wish: allocators
    other than glibc's have no mallopt, and kernels without huge pages give small ones.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return
    for setting, value in ((M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, 16 * ROOM), (M_TOP_PAD, ROOM)):
        libc.mallopt(setting, value)
    libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
    libc.free(libc.malloc(LARGE - 4096))
    _advise(MADV_HUGEPAGE, "[heap]")


def _advise(advice: int, *names: str) -> None:
    """Tell the kernel something about the whole huge pages of our writable memory of some names ("": without one)."""
    libc = ctypes.CDLL(None)
    with open("/proc/self/maps") as maps:
        lines = [line.split() for line in maps]
    for span, access, *_, name in ([*line, ""] if len(line) < 6 else line for line in lines):
        start, end = (int(address, 16) for address in span.split("-"))
        start, end = -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
        if access == "rw-p" and name in names and start < end:
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice)


def _serve(control: socket.socket, spare: Child, around: Walls, runner: ModuleType) -> None:
    running: dict[int, Running] = {}
    buffer = bytearray(MESSAGE)  # wiped after use: the next child is a copy of this process, and would find the run before it
    poller = select.poll()
    poller.register(control, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor != control.fileno():
                poller.unregister(descriptor)
                _report_exit(descriptor, running.pop(descriptor))
                continue
            size, descriptors = _receive(control, buffer)
            if not size:
                os._exit(0)
            report = socket.socket(fileno=descriptors[-1])
            running[spare.pidfd] = Running(spare.pid, report)
            poller.register(spare.pidfd, select.POLLIN)
            try:
                socket.send_fds(report, [b"F"], [spare.pidfd])
                socket.send_fds(spare.orders, [memoryview(buffer)[:size]], descriptors)
            except OSError:  # the child died while it waited, or the run was given up: its end is reported like any other
                os.kill(spare.pid, 9)
            buffer[:size] = bytes(size)
            spare.orders.close()
            for given in descriptors[:-1]:
                os.close(given)
            spare = _fork(around, runner)


def _receive(control: socket.socket, buffer: bytearray) -> tuple[int, list[int]]:
    """Take one message and its descriptors; return its size."""
    size, ancillary, _, _ = control.recvmsg_into([buffer], socket.CMSG_SPACE(4 * DESCRIPTORS))
    descriptors = array.array("i")
    for _, _, data in ancillary:
        descriptors.frombytes(data)
    return size, list(descriptors)


def _fork(around: Walls, runner: ModuleType) -> Child:
    """Fork a child that waits for its run."""
    zygote = os.getpid()
    orders, inside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        try:
            walls.die_with(zygote)
            runner.run(inside, around)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(SETUP_FAILED)
    inside.close()
    return Child(pid, os.pidfd_open(pid), orders)


def _report_exit(pidfd: int, child: Running) -> None:
    _, status = os.waitpid(child.pid, 0)
    os.close(pidfd)
    with contextlib.suppress(OSError):  # nobody waits for this run any more
        child.report.sendall(EXIT.pack(b"X", status))
    child.report.close()
