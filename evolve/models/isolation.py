"""Wraps a `command:` in bubblewrap: it sees the user's files and network, not the vault, the run or other processes.

It stops a program that searches files and processes for labels. It is no prison: the program has the user's keys, network and
home. The ways around it are closed: other processes by /proc, devices of disks, the kernel's settings (for root), sockets of
services that start programs for whoever asks, and this checkout and its interpreter, which may be read and not written.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from glob import glob
from pathlib import Path

from evolve.errors import UsageError
from fitness.home import default_home

OURS = (str(Path(__file__).parents[2]), *sorted({os.path.realpath(sys.prefix), os.path.realpath(sys.base_prefix)}))
DEVICES = ("/dev/nvidia*", "/dev/dri", "/dev/kfd")  # a program may be a model on the user's GPU
KERNEL = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi")
NAMES = ("/run/systemd/resolve", "/run/nscd", "/run/resolvconf", "/run/NetworkManager/resolv.conf")  # finding hosts
SOCKETS = ("DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS", "XDG_RUNTIME_DIR", "TMUX", "DOCKER_HOST", "CONTAINER_HOST")
_PROBE = 20.0  # seconds


def wrapped(command: Sequence[str], folder: Path, hidden: Sequence[Path]) -> list[str]:
    """Return the command line that runs a command in a folder behind the walls. Raises UsageError if they hide it."""
    home, scratch = Path.home().resolve(), folder.resolve()
    line = [shutil.which("bwrap") or "bwrap", "--unshare-user", "--uid", str(os.getuid()), "--gid", str(os.getgid())]
    line += ["--unshare-pid", "--unshare-ipc", "--new-session", "--die-with-parent", "--cap-drop", "ALL"]
    line += ["--ro-bind", "/", "/", "--dev", "/dev"]
    for pattern in DEVICES:
        for device in glob(pattern):
            line += ["--dev-bind", device, device]
    for place in (home, Path("/tmp"), Path("/var/tmp"), scratch):
        if place.is_dir() and place != Path("/"):
            line += ["--bind", str(place), str(place)]
    for ours in OURS:
        line += ["--ro-bind", ours, ours]
    if Path("/run").is_dir():
        line += ["--tmpfs", "/run"]
        for name in NAMES:
            line += ["--ro-bind-try", name, name]
    line += ["--proc", "/proc"]
    for name in KERNEL:
        if os.path.exists(name):
            line += ["--ro-bind", name, name]
    for path in _covered(hidden):
        _check_way(path, command, home, scratch)
        line += ["--tmpfs", str(path), "--remount-ro", str(path)] if path.is_dir() else ["--ro-bind", os.devnull, str(path)]
    for variable in SOCKETS:
        line += ["--unsetenv", variable]
    return [*line, "--chdir", str(scratch), "--", *command]


def secret_places(hidden: Sequence[Path]) -> tuple[Path, ...]:
    """Return what a command may not see: the vault's folder with all that lies beside it, and the places given."""
    return (default_home(), *hidden)


@functools.cache
def works() -> bool:
    """Tell whether bubblewrap can build these walls here, by building them once."""
    if shutil.which("bwrap") is None:
        return False
    command = wrapped(["/bin/sh", "-c", "exit 0"], Path("/"), ())
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def danger(spec: str) -> str:
    """Return the sentence to print before a command is used that no wall holds, "" where the walls stand."""
    if works():
        return ""
    why = "bubblewrap does not work here" if shutil.which("bwrap") else "bubblewrap is not installed"
    return f"{spec}: this program can read the vault and the run, labels and exact scores included, for {why}"


def _covered(hidden: Sequence[Path]) -> list[Path]:
    """Return the real paths that exist, none of them inside another."""
    real = {path.resolve() for path in hidden if path.exists()}
    return sorted(path for path in real if not real & set(path.parents))


def _check_way(path: Path, command: Sequence[str], home: Path, scratch: Path) -> None:
    program = Path(command[0])
    for place in (program, program.resolve(), home, scratch):
        if path == place or path in place.parents:
            raise UsageError(
                f"{path} is to be hidden from {program.name}, and {place} lies in it: keep the run in a folder of its own"
            )
