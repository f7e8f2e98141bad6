"""Tries every wall by using it, each in a throw-away child of this process; prints one JSON object on stdout.

Run inside by doctor.py, which gives it one JSON argument: the trees a method may read, the folders it may list, a file that it
must not read, a file of the host that namespaces must hide, the seccomp filter. Nothing is inferred from versions.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import socket
import sys
from collections.abc import Callable

from . import walls


def main() -> None:
    """Probe and print {wall: [up, sentence]}."""
    told = json.loads(sys.argv[1])
    secret: str = told["secret"]
    results = {
        "rlimits": _try(_rlimits),
        "landlock": _try(lambda: _landlock(told["readable"], told["listable"], secret)),
        "seccomp": _try(lambda: _seccomp(bytes.fromhex(told["program"]))),
        "children": _try(_children),
        "namespaces": _try(lambda: _namespaces(told["outside"])),
    }
    print(json.dumps(results))


def _try(probe: Callable[[], str]) -> tuple[bool, str]:
    """Run one probe in a child; an exception or a death there is a wall that is down."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = "1" + probe()
        except BaseException as error:
            answer = f"0{error}"
        os.write(write, answer.encode()[:2000])
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        answer = pipe.read().decode(errors="replace")
    os.waitpid(pid, 0)
    return answer[:1] == "1", answer[1:] or "the probe died"


def _refused(what: str, action: Callable[[], object]) -> None:
    """Do something that a wall must stop. Raises RuntimeError if it works."""
    try:
        action()
    except OSError:
        return
    raise RuntimeError(f"{what} was not stopped")


def _rlimits() -> str:
    walls.drop_capabilities()
    walls.set_limits(64 << 20, 1 << 20, 60)
    _refused("taking 1 GiB with a limit of 64 MiB", lambda: mmap.mmap(-1, 1 << 30))
    return "a process cannot take more memory than it is given"


def _landlock(readable: list[str], listable: list[str], secret: str) -> str:
    try:
        abi = walls.landlock_abi()
    except OSError as error:
        raise RuntimeError("this kernel has no Landlock: it takes 5.13 or later, with landlock in its lsm= list") from error
    rules = walls.ruleset(readable, listable)
    open(secret, "rb").close()
    walls.enter_landlock(rules)
    _refused("reading this checkout", lambda: open(secret, "rb").close())
    _refused("reading /proc", lambda: open("/proc/self/environ", "rb").close())
    _refused("listing /", lambda: os.listdir("/"))
    _refused("writing to /tmp", lambda: os.open("/tmp/evolve-probe", os.O_CREAT | os.O_WRONLY))
    os.listdir(os.path.dirname(os.__file__))
    return f"only the interpreter and its libraries can be read, and nothing written (ABI {abi})"


def _seccomp(program: bytes) -> str:
    walls.enter_seccomp(program)
    _refused("a new process", os.fork)
    _refused("a signal", lambda: os.kill(os.getpid(), 0))
    _refused("a socket", socket.socket)
    _refused("memory in a file", lambda: os.memfd_create("x"))
    return "no new processes, sockets, signals, or memory outside the limit"


def _children() -> str:
    pid = os.fork()
    if pid == 0:
        walls.die_with(os.getppid())
        signal.pause()
    pidfd = os.pidfd_open(pid)
    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSIGNALED(status):
        raise RuntimeError("a child outlived its kill")
    return "a child can be stopped from outside at any moment, and dies with its parent"


def _namespaces(outside: str) -> str:
    if os.getpid() > 16 or os.getuid() != 65534:
        raise RuntimeError("this process is not in namespaces of its own")
    if sorted(name for _, name in socket.if_nameindex()) not in ([], ["lo"]):
        raise RuntimeError("there is a network inside")
    if os.path.exists(outside) or os.path.exists("/etc/passwd"):
        raise RuntimeError("files of the host are visible inside")
    with open("/proc/1/environ", "rb") as environment:
        if environment.read() not in (b"", b"PYTHONHASHSEED=0\0"):
            raise RuntimeError("the environment can be read inside")
    return "its own files, processes, users and network: none of the host's are visible"
