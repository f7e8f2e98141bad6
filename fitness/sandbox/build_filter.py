"""Builds the shipped seccomp filters: `python -m fitness.sandbox.build_filter` (development only; libseccomp knows the names).

A deny list. What a method could reach other processes, the network, the kernel's rarer corners or memory outside its limit
with returns EPERM, because ordinary libraries probe some of it too. New processes are denied entirely: that is what makes a
one-process memory limit complete. From number 424 on, where every architecture has the same numbers and kernels add new calls,
it is an allow list: the rest is ENOSYS, as on an older kernel, and libraries fall back.
"""

from __future__ import annotations

import errno
import struct
from pathlib import Path

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH of each
FILTERS = Path(__file__).parent / "filters"
DENIED = {
    "its own limits": "setrlimit",
    "other processes": "ptrace process_vm_readv process_vm_writev kcmp setpriority ioprio_set sched_setscheduler "
    "sched_setparam sched_setattr migrate_pages move_pages kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo",
    "new processes": "fork vfork execve execveat",
    "sockets": "socket socketpair connect bind listen accept accept4 sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg",
    "the kernel": "bpf perf_event_open userfaultfd io_setup io_submit add_key request_key keyctl kexec_load kexec_file_load "
    "init_module finit_module delete_module syslog settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname "
    "acct swapon swapoff reboot quotactl iopl ioperm personality lookup_dcookie vhangup nfsservctl modify_ldt seccomp "
    "sync syncfs",
    "namespaces and mounts": "mount umount2 pivot_root chroot unshare setns open_by_handle_at name_to_handle_at",
    "memory outside the limit": "memfd_create shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop semctl "
    "semtimedop mq_open mq_unlink",
    "changing and watching files": "fanotify_init fanotify_mark inotify_init inotify_init1 inotify_add_watch truncate chmod "
    "fchmod fchmodat chown fchown lchown fchownat utime utimes utimensat futimesat setxattr lsetxattr fsetxattr removexattr "
    "lremovexattr fremovexattr getxattr lgetxattr listxattr llistxattr mknod mknodat flock",
}
FIRST_UNIFIED = 424
UNIFIED_ALLOWED = {
    "close_range": 436,
    "faccessat2": 439,
    "epoll_pwait2": 441,
    "futex_waitv": 449,
    "map_shadow_stack": 453,
    "futex_wake": 454,
    "futex_wait": 455,
    "futex_requeue": 456,
    "mseal": 462,
}
LOCKS = {  # on a library's file they would reach every process that reads it
    "F_SETLK": 6,
    "F_SETLKW": 7,
    "F_OFD_SETLK": 37,
    "F_OFD_SETLKW": 38,
    "F_SETLEASE": 1024,
    "F_NOTIFY": 1026,
}
DENIED_VALUES = {  # call -> which argument, and the values of it that are denied
    "ioctl": (1, {"TIOCSTI": 0x5412, "TIOCLINUX": 0x541C, "FIOSETOWN": 0x8901, "SIOCSPGRP": 0x8902}),
    "fcntl": (1, {"F_SETOWN": 8, "F_SETSIG": 10, "F_SETOWN_EX": 15, "F_SETPIPE_SZ": 1031, **LOCKS}),
    "prctl": (0, {"PR_SET_PDEATHSIG": 1}),
}
OPENS = {"open": 1, "openat": 2}  # call -> which argument holds the flags
O_ACCMODE, O_TRUNC = 0o3, 0o1000
TRUNCATING = (O_TRUNC, O_TRUNC | O_ACCMODE, O_ACCMODE)  # "to read", and truncate: Landlock before ABI 3 sees a reader only
CLONE_THREAD = 0x10000

_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06  # classic BPF opcodes
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data


def build(architecture: str) -> bytes:
    """Return the filter for one architecture as the kernel's sock_filter array. Raises ImportError without libseccomp."""
    program = [_step(_LOAD, _ARCHITECTURE), _step(_EQUAL, ARCHITECTURES[architecture], yes=1), _step(_RETURN, _KILL)]
    program += [_step(_LOAD, _NUMBER)]
    for number in UNIFIED_ALLOWED.values():
        program += _when(number, [_step(_RETURN, _ALLOW)])
    program += [_step(_AT_LEAST, FIRST_UNIFIED, no=1), _step(_RETURN, _ENOSYS)]
    for number in sorted(n for names in DENIED.values() for n in _numbers(architecture, names)):
        program += _when(number, [_step(_RETURN, _EPERM)])
    for call, (argument, values) in DENIED_VALUES.items():
        body = [_argument(argument)]
        for value in values.values():
            body += [_step(_EQUAL, value, no=1), _step(_RETURN, _EPERM)]
        program += _when(_number(architecture, call), [*body, _step(_RETURN, _ALLOW)])
    program += _when(_number(architecture, "sched_setaffinity"), [_argument(0), *_only_if(_EQUAL, 0)])  # 0 is the caller
    program += _when(_number(architecture, "prlimit64"), _ask_own_limits())
    for call, argument in OPENS.items():
        for number in _numbers(architecture, call):
            program += _when(number, [_argument(argument), *_not_among(O_ACCMODE | O_TRUNC, TRUNCATING)])
    program += _when(_number(architecture, "clone"), [_argument(0), *_only_if(_ANY_BIT, CLONE_THREAD)])
    return b"".join([*program, _step(_RETURN, _ALLOW)])


def _step(operation: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """Return one instruction; `yes` and `no` are how many to skip."""
    return struct.pack("<HBBI", operation, yes, no, value)


def _argument(index: int) -> bytes:
    """Load the lower half of an argument: all that the kernel reads of the ints tested here (both are little endian)."""
    return _step(_LOAD, _ARGUMENTS + 8 * index)


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """Run a body, which must return, for one system call."""
    return [_step(_EQUAL, number, no=len(body)), *body]


def _only_if(test: int, value: int) -> list[bytes]:
    return [_step(test, value, no=1), _step(_RETURN, _ALLOW), _step(_RETURN, _EPERM)]


def _not_among(mask: int, values: tuple[int, ...]) -> list[bytes]:
    denied = [step for value in values for step in (_step(_EQUAL, value, no=1), _step(_RETURN, _EPERM))]
    return [_step(_AND, mask), *denied, _step(_RETURN, _ALLOW)]


def _ask_own_limits() -> list[bytes]:
    """Let prlimit64 tell the caller (process 0) its limits; the third argument, new ones, must be a null pointer."""
    nothing = [_argument(0), _argument(2), _step(_LOAD, _ARGUMENTS + 8 * 2 + 4)]
    checks = [step for load in nothing for step in (load, _step(_EQUAL, 0, yes=1), _step(_RETURN, _EPERM))]
    return [*checks, _step(_RETURN, _ALLOW)]


def _numbers(architecture: str, names: str) -> list[int]:
    """Return the numbers of system calls on an architecture, without those it lacks or the allow list covers."""
    import pyseccomp

    arch = getattr(pyseccomp.Arch, architecture.upper())
    found = [pyseccomp.resolve_syscall(arch, name) for name in names.split()]
    return [number for number in found if 0 <= number < FIRST_UNIFIED]


def _number(architecture: str, name: str) -> int:
    [number] = _numbers(architecture, name)
    return number


def main() -> None:
    """Write every shipped filter."""
    for architecture in ARCHITECTURES:
        (FILTERS / f"{architecture}.bpf").write_bytes(build(architecture))


if __name__ == "__main__":
    main()
