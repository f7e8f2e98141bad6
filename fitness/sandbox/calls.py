"""Lists every system call that a method may make, and why none of them leaves a word that a later trial could find.

The one home of the seccomp policy: build_filter.py makes the shipped filters from CALLS, and a test walks the filters and finds
nothing in them that is not here. What is not listed is refused. Where an argument decides, its values are listed too.

REMAINS names what the kernel counts or caches for everybody, and a method can both move and read: no filter ends that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FIRST_UNIFIED = 424  # from here on every architecture has the same numbers, and kernels add new calls
UNIFIED = {
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
ALL_BITS = 0xFFFFFFFF


@dataclass(frozen=True)
class Check:
    """What an argument must be: some of its bits, as one of some values.

    Attributes:
        argument: which, from 0.
        values: what the masked bits may be, by name.
        mask: which bits are looked at.
        upper: whether the upper half must be zero as well (pointers).
    """

    argument: int
    values: dict[str, int]
    mask: int = ALL_BITS
    upper: bool = False


@dataclass(frozen=True)
class Rule:
    """Some system calls that are let through, and when.

    Attributes:
        names: theirs, separated by blanks; those that an architecture lacks are left out there.
        why: why they carry no word to a later trial.
        checks: what must hold of the arguments.
        gpu: whether they are let through only where methods compute on a GPU.
        driver: whether the escapes of NVIDIA's driver are let through beside what the checks ask.
    """

    names: str
    why: str
    checks: tuple[Check, ...] = ()
    gpu: bool = False
    driver: bool = False


OWN_MEMORY = "the memory of this process alone, which ends with it"
OWN_DESCRIPTORS = "descriptors of this process alone, which end with it; no open file is shared with another trial"
OWN_THREADS = "threads, signals and timers of this process alone, which end with it"
READS = "reads; what is read is the same for every trial, because nothing can be written"
CONSTANT = "tells what no method can change"

FCNTL = {"F_DUPFD": 0, "F_GETFD": 1, "F_SETFD": 2, "F_GETFL": 3, "F_SETFL": 4, "F_DUPFD_CLOEXEC": 1030, "F_GETPIPE_SZ": 1032}
IOCTL = {
    "TCGETS": 0x5401,
    "TIOCGWINSZ": 0x5413,
    "FIONREAD": 0x541B,
    "FIONBIO": 0x5421,
    "FIONCLEX": 0x5450,
    "FIOCLEX": 0x5451,
}
PRCTL = {
    "PR_SET_NAME": 15,
    "PR_GET_NAME": 16,
    "PR_SVE_GET_VL": 51,
    "PR_GET_TAGGED_ADDR_CTRL": 56,
    "PR_SME_GET_VL": 64,
    "PR_SET_VMA": 0x53564D41,
}
MADVISE = {
    "MADV_NORMAL": 0,
    "MADV_RANDOM": 1,
    "MADV_SEQUENTIAL": 2,
    "MADV_DONTNEED": 4,
    "MADV_FREE": 8,
    "MADV_DONTFORK": 10,
    "MADV_DOFORK": 11,
    "MADV_HUGEPAGE": 14,
    "MADV_NOHUGEPAGE": 15,
    "MADV_DONTDUMP": 16,
    "MADV_DODUMP": 17,
    "MADV_GUARD_INSTALL": 102,
    "MADV_GUARD_REMOVE": 103,
}
O_ACCMODE, O_TRUNC = 0o3, 0o1000
OPEN_MODES = {  # "to read", and truncate, is not among them: Landlock before ABI 3 sees a reader only
    "O_RDONLY": 0,
    "O_WRONLY": 1,
    "O_RDWR": 2,
    "O_WRONLY|O_TRUNC": 1 | O_TRUNC,
    "O_RDWR|O_TRUNC": 2 | O_TRUNC,
}
OPEN_FLAGS = (  # CREAT EXCL NOCTTY TRUNC APPEND NONBLOCK CLOEXEC PATH, and by architecture DIRECTORY NOFOLLOW LARGEFILE
    O_ACCMODE | 0o100 | 0o200 | 0o400 | O_TRUNC | 0o2000 | 0o4000 | 0o2000000 | 0o10000000
)
OPEN_FLAGS_OF = {"x86_64": 0o200000 | 0o400000 | 0o100000, "aarch64": 0o40000 | 0o100000 | 0o400000}
CLONE_THREAD = 0x10000
CLONE_FLAGS = (  # VM FS FILES SIGHAND THREAD SYSVSEM SETTLS PARENT_SETTID CHILD_CLEARTID, DETACHED (unused), CHILD_SETTID
    0x100 | 0x200 | 0x400 | 0x800 | CLONE_THREAD | 0x40000 | 0x80000 | 0x100000 | 0x200000 | 0x400000 | 0x1000000
)
NVIDIA = (  # the escapes of the driver that CUDA uses, by gVisor's nvproxy: nv_escape.h, nv-ioctl-numbers.h
    *(0x27, 0x29, 0x2A, 0x2B, 0x34, 0x35, 0x41, 0x4A, 0x4E, 0x4F, 0x54, 0x57, 0x58, 0x5E),
    *(200, 201, 206, 207, 209, 210, 212, 213, 214, 215, 217, 218),
)
NVIDIA_MEMORY = (  # of nvidia-uvm, whose commands are plain numbers: uvm_ioctl.h and uvm_linux_ioctl.h
    *range(23, 29), *range(33, 36), *range(37, 48), *range(65, 69), *range(70, 76), 0x30000001, 0x30000002,
)  # fmt: skip
_MAGIC = ord("F") << 8


def open_checks(argument: int, architecture: str) -> tuple[Check, ...]:
    """Return what the flags of open(2) and openat(2) may be on an architecture."""
    unknown = ALL_BITS & ~(OPEN_FLAGS | OPEN_FLAGS_OF[architecture])
    return Check(argument, OPEN_MODES, O_ACCMODE | O_TRUNC), Check(argument, {"no other flag": 0}, unknown)


def calls(architecture: str, gpu: bool) -> tuple[Rule, ...]:
    """Return the policy of an architecture, without or with what CUDA needs beside it."""
    opens = tuple(
        Rule(name, "opens to read, or the null device, which keeps nothing (Landlock); never around the page cache (O_DIRECT)",
             open_checks(argument, architecture))
        for name, argument in (("open", 1), ("openat", 2))
    )  # fmt: skip
    return (*opens, *(_with_driver(call) if gpu else call for call in CALLS if gpu or not call.gpu))


def _with_driver(call: Rule) -> Rule:
    """Return a call as it is on a GPU: ioctl(2) may reach NVIDIA's driver."""
    if call.names != "ioctl":
        return call
    why = f"{call.why}; the driver's escapes, which were not examined"
    return replace(call, why=why, checks=(Check(1, IOCTL | {f"uvm {n}": n for n in NVIDIA_MEMORY}),), driver=True)


DRIVER = Check(1, {f"nvidia {number}": _MAGIC | number for number in NVIDIA}, 0xFFFF)
"""NVIDIA's own escapes: their type is 'F'; direction and size differ between the driver's versions."""

CALLS = (
    Rule("mmap munmap mprotect mremap brk pkey_alloc pkey_free pkey_mprotect map_shadow_stack mseal", OWN_MEMORY),
    Rule(
        "madvise",
        "its own page tables; advice that reaches the page cache (WILLNEED, COLD, PAGEOUT, REMOVE, COLLAPSE) is refused",
        (Check(2, MADVISE),),
    ),
    Rule(
        "clone",
        "a thread, never a process; its number is one more from the kernel's counter: see REMAINS",
        (Check(0, {"CLONE_THREAD": CLONE_THREAD}, CLONE_THREAD), Check(0, {"no other flag": 0}, ALL_BITS & ~CLONE_FLAGS)),
    ),
    Rule("futex futex_waitv futex_wake futex_wait futex_requeue", "waits and wakes; a queue of waiters ends with them"),
    Rule("set_robust_list rseq set_tid_address exit exit_group sched_yield membarrier restart_syscall getcpu", OWN_THREADS),
    Rule("rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack pause", OWN_THREADS),
    Rule("sched_getaffinity sched_getscheduler sched_getparam sched_get_priority_max sched_get_priority_min", CONSTANT),
    Rule("alarm setitimer getitimer", f"{OWN_THREADS}; timers of timer_create(2) could send SIGKILL, as if we had"),
    Rule("nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times", "time, which nobody can set"),
    Rule("arch_prctl", "its own registers"),
    Rule("wait4 waitid", "of children, which it has none of"),
    Rule("read readv pread64 preadv", f"{READS}; how long it takes tells of the page cache: see REMAINS"),
    Rule("write writev", "to its own pipes and the null device: nothing else can be opened to write"),
    Rule("lseek", "the position in a file that it opened itself"),
    Rule("stat fstat lstat newfstatat statx", f"{READS}; but for access times and numbers of inodes: see REMAINS"),
    Rule("access faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd", READS),
    Rule("chdir fchdir umask", "state of this process alone"),
    Rule("close close_range dup dup2 dup3 pipe pipe2 eventfd eventfd2 poll ppoll select pselect6", OWN_DESCRIPTORS),
    Rule("epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2", OWN_DESCRIPTORS),
    Rule("timerfd_create timerfd_settime timerfd_gettime", OWN_DESCRIPTORS),
    Rule(
        "fcntl",
        "its own descriptors: no lock, lease, owner, hint in an inode, size of a pipe or seal",
        (Check(1, FCNTL),),
    ),
    Rule("ioctl", "terminals and its own descriptors: nothing that a file system or a device keeps", (Check(1, IOCTL),)),
    Rule("prctl", "the names of its threads and mappings; the length of its vectors", (Check(0, PRCTL),)),
    Rule("getrlimit", CONSTANT),
    Rule(
        "prlimit64",
        "its own limits, to read",
        (Check(0, {"self": 0}), Check(2, {"no new limits": 0}, upper=True)),
    ),
    Rule("getpid gettid getppid", "numbers from the kernel's counter: see REMAINS"),
    Rule("getpgrp getpgid getsid", "groups that no method can change; at level B they tell which processes exist"),
    Rule("getuid geteuid getgid getegid getresuid getresgid getgroups capget uname getrandom", CONSTANT),
    Rule("get_mempolicy", "its own policy; where a page lies is not told", (Check(4, {"own": 0, "MPOL_F_MEMS_ALLOWED": 4}),)),
    Rule("mbind", "where its own memory lies; nothing is moved", (Check(5, {"no flag": 0}),), gpu=True),
    Rule("set_mempolicy", "where its own memory lies", gpu=True),
)

REMAINS = {
    "getpid gettid clone": "a thread takes the next process number: who starts many moves the numbers of later trials",
    "fstat pipe stat": "a pipe takes the next inode number, and so does a name in /proc that is looked at",
    "read mmap": "a page of a library is slow to read the first time: reading it leaves a mark in the page cache",
    "stat (level B)": "reading a library's file moves its time of access, at most once a day where a disk is mounted relatime",
    "clock_gettime": "what is shared shows in how long things take: caches, huge pages, the clock of the processor, the load",
}
"""What a method can move and a later one read, for all that the filter does: call -> how."""
