"""Places to run a command in, each made for it alone: `python tests/support/places.py PLACE COMMAND...`.

An ordinary user, no user namespaces, no bubblewrap, a kernel without Landlock. Nothing outside the command changes.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
import sysconfig
import tempfile
from pathlib import Path

NOBODY = 65534
ROOT = Path(__file__).parents[2]
_NEWNS, _NEWUSER = 0x20000, 0x10000000
_BIND, _REC, _PRIVATE = 4096, 16384, 1 << 18
_LIBC = ctypes.CDLL(None, use_errno=True)


def ordinary_user() -> None:
    """Become nobody, with a home of its own in TMPDIR; needs root. Folders on the way that nobody may enter are opened up."""
    home = tempfile.mkdtemp(prefix="evolve-home-")
    os.chown(home, NOBODY, NOBODY)
    _checked(_LIBC.unshare(_NEWNS), "unshare")
    _mount(None, "/", None, _REC | _PRIVATE)
    needed = {str(ROOT), os.path.realpath(sys.base_prefix), sysconfig.get_path("purelib"), home}
    held = {path: os.open(path, os.O_PATH) for path in needed}
    closed = {parent for path in needed for parent in Path(path).parents if not parent.stat().st_mode & stat.S_IXOTH}
    for folder in closed:
        if not closed & set(folder.parents):  # what lies below is made anew
            _mount("tmpfs", str(folder), "tmpfs", 0, "mode=755")
    for path, descriptor in held.items():
        if any(folder in Path(path).parents for folder in closed):
            os.makedirs(path, exist_ok=True)
            _mount(f"/proc/self/fd/{descriptor}", path, None, _BIND | _REC)
    os.environ.update(HOME=home, TMPDIR=home, EVOLVE_HOME=home, PYTHONDONTWRITEBYTECODE="1")
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def no_user_namespaces() -> None:
    """Enter a user namespace in which max_user_namespaces is 0."""
    user, group = os.getuid(), os.getgid()
    _checked(_LIBC.unshare(_NEWUSER), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


def no_bubblewrap() -> None:
    """Leave every folder out of PATH that holds bwrap."""
    folders = os.environ["PATH"].split(":")
    os.environ["PATH"] = ":".join(folder for folder in folders if not os.path.exists(os.path.join(folder, "bwrap")))


def no_landlock() -> None:
    """Answer landlock_create_ruleset(2) as a kernel that was started without Landlock (EOPNOTSUPP)."""
    steps = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x50000 | 95), (0x06, 0, 0, 0x7FFF0000)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    loaded = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(program))
    _checked(_LIBC.prctl(38, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
    _checked(_LIBC.prctl(22, 2, loaded, 0, 0), "PR_SET_SECCOMP")


PLACES = {place.__name__: place for place in (ordinary_user, no_user_namespaces, no_bubblewrap, no_landlock)}


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind, data)]
    _checked(_LIBC.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]), f"mount {target}")


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    PLACES[sys.argv[1]]()
    os.execvp(sys.argv[2], sys.argv[2:])
