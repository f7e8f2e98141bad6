"""The command line on a kernel without some walls, such as landlock+seccomp: `python -m tests.support.masked WALLS start ...`.

A seccomp filter answers the system calls that put a wall up as an older kernel would, in this process and all it starts.
bubblewrap is masked by a PATH without it.
"""

from __future__ import annotations

import os
import sys

import pytest

from fitness.sandbox import build_filter
from fitness.sandbox.inside import walls

WALLS = frozenset({"landlock", "seccomp", "bubblewrap"})
ENOSYS = 0x00050000 | 38


def mask(names: set[str]) -> None:
    """Take walls away from this process and its children, for good."""
    step, allow = build_filter._step, build_filter._step(build_filter._RETURN, build_filter._ALLOW)
    program = [step(build_filter._LOAD, build_filter._NUMBER)]
    if "landlock" in names:
        program += build_filter._when(walls._CREATE_RULESET, [step(build_filter._RETURN, ENOSYS)])
    if "seccomp" in names:
        program += build_filter._when(walls._SECCOMP[os.uname().machine], [step(build_filter._RETURN, ENOSYS)])
    if "bubblewrap" in names:
        os.environ["PATH"] = ""
    walls.enter_seccomp(b"".join([*program, allow]))


if __name__ == "__main__":
    if WALLS.issuperset(sys.argv[1].split("+")):  # what this process starts itself has lost them already
        mask(set(sys.argv.pop(1).split("+")))
    from evolve.cli import run
    from tests.support import tiny

    tiny.register(pytest.MonkeyPatch())
    sys.exit(run(sys.argv[1:]))
