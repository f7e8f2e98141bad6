"""Builds the shipped seccomp filters: `python -m fitness.sandbox.build_filter` (development only; libseccomp knows the names).

An allow list, made from calls.py. What is not on it is EPERM, because ordinary libraries probe some of it; from number 424 on,
where kernels add new calls, it is ENOSYS, as on an older kernel, and libraries fall back. New processes are refused entirely:
that is what makes a one-process memory limit complete.
"""

from __future__ import annotations

import errno
import struct
from pathlib import Path

from fitness.sandbox.calls import ALL_BITS, DRIVER, FIRST_UNIFIED, UNIFIED, Check, Rule, calls

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH of each
FILTERS = Path(__file__).parent / "filters"

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06  # classic BPF opcodes
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_UNKNOWN = -1  # libseccomp's answer to a name that it does not know; an architecture's lack of a call is another


def build(architecture: str, gpu: bool) -> bytes:
    """Return the filter for one architecture as the kernel's sock_filter array. Raises ImportError without libseccomp.

    With `gpu`, the driver of a GPU can be reached.
    """
    program = [_step(_LOAD, _ARCHITECTURE), _step(_EQUAL, ARCHITECTURES[architecture], yes=1), _step(_RETURN, _KILL)]
    program += [_step(_LOAD, _NUMBER)]
    for call in calls(architecture, gpu):
        for name in call.names.split():
            if (number := number_of(architecture, name)) is not None:
                program += _when(number, _body(call))
    program += [_step(_AT_LEAST, FIRST_UNIFIED, no=1), _step(_RETURN, _ENOSYS), _step(_RETURN, _EPERM)]
    return b"".join(program)


def number_of(architecture: str, name: str) -> int | None:
    """Return the number of a system call, or None where an architecture lacks it. Raises ValueError for an unknown name."""
    import pyseccomp

    if name in UNIFIED:
        return UNIFIED[name]
    number: int = pyseccomp.resolve_syscall(getattr(pyseccomp.Arch, architecture.upper()), name)
    if number == _UNKNOWN:
        raise ValueError(f"there is no system call named {name!r}")
    return number if 0 <= number < FIRST_UNIFIED else None


def _body(call: Rule) -> list[bytes]:
    """Return what decides over one call: NVIDIA's own escapes are allowed, then every check must hold."""
    steps = _allowed(DRIVER) if call.driver else []
    for check in call.checks:
        steps += _demanded(check)
    return [*steps, _step(_RETURN, _ALLOW)]


def _allowed(check: Check) -> list[bytes]:
    """Return the steps that allow a call for which a check holds."""
    load = [_argument(check.argument), _step(_AND, check.mask)]
    return load + [step for value in check.values.values() for step in (_step(_EQUAL, value, no=1), _step(_RETURN, _ALLOW))]


def _demanded(check: Check) -> list[bytes]:
    """Return the steps that refuse a call for which a check does not hold."""
    steps = [_argument(check.argument)] + ([_step(_AND, check.mask)] if check.mask != ALL_BITS else [])
    for left, value in reversed(list(enumerate(reversed(check.values.values())))):
        steps.append(_step(_EQUAL, value, yes=left + 1))
    steps.append(_step(_RETURN, _EPERM))
    if check.upper:
        steps += [_step(_LOAD, _ARGUMENTS + 8 * check.argument + 4), _step(_EQUAL, 0, yes=1), _step(_RETURN, _EPERM)]
    return steps


def _step(operation: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """Return one instruction; `yes` and `no` are how many to skip."""
    return struct.pack("<HBBI", operation, yes, no, value)


def _argument(index: int) -> bytes:
    """Load the lower half of an argument: all that the kernel reads of the ints tested here (both are little endian)."""
    return _step(_LOAD, _ARGUMENTS + 8 * index)


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """Run a body, which must return, for one system call."""
    return [_step(_EQUAL, number, no=len(body)), *body]


def main() -> None:
    """Write every shipped filter."""
    for architecture in ARCHITECTURES:
        for gpu in (False, True):
            (FILTERS / f"{architecture}{'-cuda' if gpu else ''}.bpf").write_bytes(build(architecture, gpu))


if __name__ == "__main__":
    main()
