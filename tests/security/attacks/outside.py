"""What the attack scripts share. They import it as `outside`: where everything of worth lies, and how to report success.

An attacker is assumed to know every path, process number, address and port: the arena adds them to this module as constants.
What he got comes back as bytes spelled in his predictions, one byte a row.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
from collections.abc import Callable

THROUGH = b"through"
SECRET = re.compile(rb"secret-[a-z]+-[0-9a-f]{24}")
LIBC = ctypes.CDLL(None, use_errno=True)
NAMES = (
    *("rt_sigqueueinfo", "tgkill", "execveat", "memfd_create", "io_setup", "keyctl", "bpf", "perf_event_open", "userfaultfd"),
    *("kcmp", "ioprio_set", "pivot_root", "kexec_load", "syslog", "sched_setattr", "finit_module", "swapon", "acct", "reboot"),
)
X86_64 = (129, 234, 322, 319, 206, 250, 321, 298, 323, 312, 251, 155, 246, 103, 314, 313, 167, 163, 169)
AARCH64 = (138, 131, 281, 279, 0, 219, 280, 241, 282, 272, 30, 41, 104, 116, 274, 273, 224, 89, 142)
NUMBER = dict(zip(NAMES, {"x86_64": X86_64, "aarch64": AARCH64}[platform.machine()]))
NUMBER |= {"pidfd_send_signal": 424, "io_uring_setup": 425, "open_tree": 428, "fsopen": 430, "pidfd_open": 434, "clone3": 435}
NUMBER |= {"pidfd_getfd": 438, "memfd_secret": 447}


def answer(problem, found: object):
    """Return predictions that spell what was found: bytes, or anything else for "it worked", or False."""
    import torch

    spelled = b"" if found is False else found if isinstance(found, bytes) else THROUGH
    rows = list(spelled[: len(problem.test_x)])
    return torch.tensor(rows + [0] * (len(problem.test_x) - len(rows))) / 255


def attempt(problem, attack: Callable[[], object]):
    """Return predictions that spell what an attack found; an error is nothing."""
    try:
        return answer(problem, attack())
    except Exception:
        return answer(problem, False)


def call(name: str, *arguments: object) -> int:
    """Call a function of the C library. Raises OSError."""
    return _checked(getattr(LIBC, name)(*arguments), name)


def syscall(name: str, *arguments: object) -> int:
    """Make a system call. Raises OSError."""
    return _checked(LIBC.syscall(ctypes.c_long(NUMBER[name]), *arguments), name)


def reaches(name: str, *arguments: object) -> bool:
    """Tell whether the kernel gets as far as looking at a system call's arguments, bad ones or good."""
    try:
        syscall(name, *arguments)
    except OSError as error:
        return error.errno not in (errno.EPERM, errno.EACCES, errno.ENOSYS)
    return True


def secrets_in(data: bytes) -> bytes:
    """Return every secret in some bytes. Raises LookupError when there is none."""
    found = b" ".join(sorted(set(SECRET.findall(data))))
    if not found:
        raise LookupError("no secret here")
    return found


def read(path: str) -> bytes:
    """Return the start of a file. Raises OSError."""
    with open(path, "rb") as file:
        return file.read(4096)


def memory(start: int, size: int) -> bytes:
    """Return what of this process's own memory can be read between two addresses; the kernel skips the holes."""
    held, (out, into) = [], os.pipe()
    for page in range(start, start + size, 4096):
        count = LIBC.write(into, ctypes.c_void_p(page), ctypes.c_size_t(4096))
        held.append(os.read(out, count) if count > 0 else b"")
    os.close(out)
    os.close(into)
    return b"".join(held)


def _checked(result: int, what: str) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
