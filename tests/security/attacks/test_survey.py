"""The survey of system calls: what the shipped filters let through is what calls.py lists, each with the reason why it may."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator

import pytest

from fitness.sandbox.build_filter import ARCHITECTURES, FILTERS, number_of
from fitness.sandbox.calls import ALL_BITS, DRIVER, FIRST_UNIFIED, REMAINS, Rule, calls

LOAD, AND, EQUAL, AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
X32 = 0x40000000  # a second numbering of the same calls on x86-64
every_filter = pytest.mark.parametrize(("architecture", "gpu"), list(itertools.product(ARCHITECTURES, (False, True))))
Steps = list[tuple[int, int, int, int]]


def steps_of(architecture: str, gpu: bool) -> Steps:
    program = (FILTERS / f"{architecture}{'-cuda' if gpu else ''}.bpf").read_bytes()
    return list(struct.iter_unpack("<HBBI", program))


def answers(steps: Steps, data: dict[int, int], place: int = 0, held: int | None = None) -> Iterator[int]:
    """Yield every answer that a filter may give; an offset of the call's data that is not given may hold anything."""
    while True:
        operation, yes, no, value = steps[place]
        place += 1
        if operation == RETURN:
            yield value
            return
        if operation == LOAD:
            held = data.get(value)
        elif operation == AND:
            held = None if held is None else held & value
        elif held is None:
            yield from answers(steps, data, place + yes, held)
            place += no
        else:
            place += yes if (held == value if operation == EQUAL else held >= value) else no


def answer(steps: Steps, architecture: str, number: int, arguments: dict[int, int]) -> int:
    data = {0: number, 4: ARCHITECTURES[architecture], **dict.fromkeys(range(16, 64, 4), 0)}
    data |= {16 + 8 * index: value & ALL_BITS for index, value in arguments.items()}
    data |= {20 + 8 * index: value >> 32 for index, value in arguments.items()}
    [found] = set(answers(steps, data))
    return found


def listed(architecture: str, gpu: bool) -> dict[int, tuple[str, Rule]]:
    named = ((name, call) for call in calls(architecture, gpu) for name in call.names.split())
    found = [(number_of(architecture, name), name, call) for name, call in named]
    numbers = [number for number, _, _ in found if number is not None]
    assert len(numbers) == len(set(numbers)), "a call is listed twice"
    return {number: (name, call) for number, name, call in found if number is not None}


@pytest.fixture(autouse=True)
def names_are_known() -> None:
    pytest.importorskip("pyseccomp", reason="the names of system calls (needs pyseccomp and libseccomp)", exc_type=Exception)


@every_filter
def test_what_a_filter_lets_through_is_listed_with_its_reason(architecture: str, gpu: bool) -> None:
    steps, known = steps_of(architecture, gpu), listed(architecture, gpu)
    for number in [*range(2 * FIRST_UNIFIED), *range(X32, X32 + 2 * FIRST_UNIFIED)]:
        found = set(answers(steps, {0: number, 4: ARCHITECTURES[architecture]}))
        if number in known:
            assert ALLOW in found, known[number][0]
            assert len(known[number][1].why) > 10, f"{known[number][0]}: say why it carries no word to a later trial"
        else:
            assert found == {EPERM if number < FIRST_UNIFIED else ENOSYS}, number


@every_filter
def test_another_architecture_is_killed(architecture: str, gpu: bool) -> None:
    assert set(answers(steps_of(architecture, gpu), {4: 0x40000003})) == {0x80000000}, "32-bit calls have other numbers"


@every_filter
def test_an_argument_that_is_not_listed_is_refused(architecture: str, gpu: bool) -> None:
    steps = steps_of(architecture, gpu)
    for number, (name, call) in listed(architecture, gpu).items():
        for check in call.checks:
            good = {other.argument: next(iter(other.values.values())) for other in reversed(call.checks)}
            for value in range(1 << 12) if name not in ("open", "openat", "clone") else ():
                allowed = value in check.values.values() or (call.driver and value & DRIVER.mask in DRIVER.values.values())
                found = answer(steps, architecture, number, {**good, check.argument: value})
                assert found == (ALLOW if allowed else EPERM), (name, check.argument, value)
            if check.upper:
                assert answer(steps, architecture, number, {**good, check.argument: 1 << 40}) == EPERM, name


ARGUMENTS = {  # what has carried a word, or could: call -> the argument, and values of it
    "fcntl": (1, [5, 6, 7, 8, 9, 10, 11, 15, 16, 36, 37, 38, 1024, 1025, 1026, 1029, 1031, 1033, 1034, *range(1035, 1050)]),
    "ioctl": (1, [0x80086601, 0x40086602, 0x40087602, 0x5412, 0x8901, 0x8902, 0x401C5820, 0xC0105E00]),
    "prctl": (0, [1, 2, 4, 22, 23, 33, 38, 41, 47, 53, 59, 62, 67, 0x59616D61]),
    "madvise": (2, [3, 9, 12, 13, 18, 19, 20, 21, 22, 23, 24, 25, 100, 101]),
    "openat": (2, [0o40000 | 0o200000 | 0o1000000, 0o1000000, 0o20000, 0o4010000, 0o20200000, 0o3, 0o1000]),
    "clone": (0, [17, 0x4111, 0x10000000, 0x20010000, 0x80010000, 0x12000]),
    "get_mempolicy": (4, [1, 2, 3]),
    "prlimit64": (0, [1]),
}
WHOLE = (
    "fadvise64 readahead mincore preadv2 pwritev2 splice tee vmsplice sendfile flock utimensat fsetxattr fgetxattr "
    "memfd_create copy_file_range userfaultfd keyctl shmget msgget semget mq_open inotify_add_watch personality "
    "getrusage setpriority ioprio_set sched_setattr sched_setaffinity sysinfo statfs fstatfs mlock mlock2 mlockall "
    "msync fsync sync_file_range fallocate ftruncate timer_create signalfd4 kill tgkill io_uring_setup io_setup "
    "process_madvise setrlimit capset setsid setpgid mkdirat unlinkat linkat"
)
FORBIDDEN = [(name, {argument: value}) for name, (argument, values) in ARGUMENTS.items() for value in values]
FORBIDDEN += [(name, dict[int, int]()) for name in WHOLE.split()]


@every_filter
@pytest.mark.parametrize(("name", "arguments"), FORBIDDEN, ids=lambda value: str(value))
def test_memory_between_trials_is_refused(architecture: str, gpu: bool, name: str, arguments: dict[int, int]) -> None:
    import pyseccomp

    number = pyseccomp.resolve_syscall(getattr(pyseccomp.Arch, architecture.upper()), name)
    assert number != -1, "no such call"
    if number >= 0:
        assert answer(steps_of(architecture, gpu), architecture, number, arguments) in (EPERM, ENOSYS)


def test_what_remains_names_calls_that_are_let_through() -> None:
    through = {name for architecture in ARCHITECTURES for _, (name, _) in listed(architecture, False).items()}
    for names in REMAINS:
        assert set(names.removesuffix(" (level B)").split()) <= through, names
