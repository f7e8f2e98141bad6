"""Puts up the walls of a child: capabilities, rlimits, Landlock, seccomp. Standard library only, each fails loudly.

Loaded inside the sandbox, before the walls are up; the trusted process never imports it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import stat
import struct
from collections.abc import Sequence

_libc = ctypes.CDLL(None, use_errno=True)

# prctl(2) and seccomp(2)
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1
# landlock(7): these numbers are the same on every architecture
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15  # ABI 3 and 5
_FS_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # ABI -> number of file rights it knows
_NET_RIGHTS, _SCOPES = 0b11, 0b11  # TCP bind and connect (ABI 4); abstract sockets and signals (ABI 6)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _prctl(option: int, *arguments: object, what: str) -> None:
    padded = [*arguments, *[0] * (4 - len(arguments))]
    _checked(_libc.prctl(option, *(ctypes.c_ulong(a) if isinstance(a, int) else a for a in padded)), what)


def _syscall(number: int, *arguments: object, what: str) -> int:
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), what)


def die_with(parent: int) -> None:
    """Be killed when the parent dies. Raises ProcessLookupError if it already has."""
    _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), what="PR_SET_PDEATHSIG")
    if os.getppid() != parent:
        raise ProcessLookupError("the zygote died while it forked")


def drop_capabilities() -> None:
    """Give up every capability: root in a child must not raise its own limits. Raises OSError."""
    header = struct.pack("Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    _checked(_libc.capset(header, bytes(24)), "capset")


def set_limits(memory: int | None, file_size: int, cpu_seconds: int) -> None:
    """Take rlimits: `memory` is bytes of address space beyond what the process has now. Raises OSError or ValueError.

    None for a process that will start CUDA, which reserves more addresses than any machine has memory, and opens its devices
    many times: its memory is watched from outside.
    """
    wanted = {
        resource.RLIMIT_CORE: 1,  # no core file; 0 would not keep the core from a program in core_pattern (core(5))
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_SIGPENDING: 64,  # timers too: they are counted by user, not by process
        resource.RLIMIT_NOFILE: 256 if memory is not None else 1024,
        resource.RLIMIT_FSIZE: file_size,
        resource.RLIMIT_CPU: cpu_seconds + 1,  # SIGXCPU comes before: unlike SIGKILL, it tells whose fault it is
    }
    if memory is not None:
        with open("/proc/self/statm") as statm:
            held = int(statm.read().split()[0]) * resource.getpagesize()
        wanted[resource.RLIMIT_AS] = held + memory
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        soft = min(value, cpu_seconds) if kind == resource.RLIMIT_CPU else value
        resource.setrlimit(kind, (soft, value))


def landlock_abi() -> int:
    """Return the kernel's Landlock ABI. Raises OSError when there is none."""
    return _syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1), what="Landlock")


def ruleset(readable: Sequence[str], listable: Sequence[str], devices: Sequence[str] = (), writable: Sequence[str] = ()) -> int:
    """Return a Landlock ruleset (a descriptor) that allows reading some trees, listing some folders, and /dev/null.

    `devices` are nodes that may be read, written and controlled; `writable` are trees whose files may be read and written.
    """
    abi = landlock_abi()
    handled = (1 << _FS_RIGHTS[min(abi, 5)]) - 1
    rights = struct.pack("QQQ", handled, _NET_RIGHTS if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    rights = rights[: 8 if abi < 4 else 16 if abi < 6 else 24]
    rules = _syscall(_CREATE_RULESET, rights, ctypes.c_size_t(len(rights)), ctypes.c_uint32(0), what="landlock_create_ruleset")
    for path in readable:
        _allow(rules, path, _READ_FILE | _EXECUTE | _READ_DIR)
    for path in listable:
        _allow(rules, path, _READ_DIR)
    _allow(rules, os.devnull, _READ_FILE | _WRITE_FILE)
    for path in writable:
        _allow(rules, path, (_READ_FILE | _READ_DIR | _WRITE_FILE | _TRUNCATE) & handled)
    for path in devices:
        _allow(rules, path, (_READ_FILE | _WRITE_FILE | _IOCTL_DEV) & handled)
    return rules


def _allow(rules: int, path: str, rights: int) -> None:
    target = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(target).st_mode):
            rights &= ~_READ_DIR
        rule = _PathBeneath(rights, target)
        _syscall(
            _ADD_RULE, ctypes.c_int(rules), ctypes.c_int(1), ctypes.byref(rule), ctypes.c_uint32(0), what=f"Landlock, {path}"
        )
    finally:
        os.close(target)


def enter_landlock(rules: int) -> None:
    """Restrict this process, for good, to a ruleset. Raises OSError."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, what="PR_SET_NO_NEW_PRIVS")
    _syscall(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0), what="landlock_restrict_self")


def enter_seccomp(program: bytes) -> None:
    """Filter the system calls of every thread of this process, for good. Raises OSError."""
    instructions = ctypes.create_string_buffer(program, len(program))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, what="PR_SET_NO_NEW_PRIVS")
    loaded = _Program(len(program) // 8, ctypes.addressof(instructions))
    mode, all_threads = ctypes.c_uint(_SECCOMP_SET_MODE_FILTER), ctypes.c_uint(_SECCOMP_FILTER_FLAG_TSYNC)
    left_out = _syscall(_SECCOMP[os.uname().machine], mode, all_threads, ctypes.byref(loaded), what="seccomp")
    if left_out:
        raise OSError(0, f"seccomp: thread {left_out} could not be filtered")
