"""Plants a canary, a decoy vault with wrong labels, in every child's environment, and tells which child opened it.

`EVOLVE_HOME` names the real vault outside; inside it names a home that was made for one run, under a name nobody can guess, in
a folder that can be entered but not listed. No honest method has a reason to look there, so whatever is opened or listed below
it names the thief exactly, however many runs are in flight. The watch is inotify(7): it is on the inodes, so it also sees what
happens in another mount namespace, and an event is there before the open(2) that caused it has returned.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import io
import os
import secrets
import shutil
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fitness.nouns import SandboxUnavailable

FOLDERS = ("", "vault", "vault/chat")  # of a decoy; each is made before what lies in it
KEY, LABELS = "vault/key", "vault/chat/dev-0.labels.npy"
ROWS = 3000  # of the labels
PREFIX, HOMES = "evolve-w2s-", "homes"
YOUNG = 60.0  # seconds in which a folder may not have its lock yet

_libc = ctypes.CDLL(None, use_errno=True)
_IN_ACCESS, _IN_OPEN, _IN_ONESHOT = 0x1, 0x20, 0x80000000  # each watch fires once: no flood can drown another run's event
_EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows
_EVENTS = 1 << 16  # bytes read at a time


@dataclass
class Decoy:
    """One run's decoy home.

    Attributes:
        home: where it is, inside as outside.
        opened: whether it was opened or listed, or anything below it was; as far as the events have been read.
    """

    home: Path
    opened: bool = False


class Canary:
    """Plants decoys and watches them. Safe to use from several threads.

    Attributes:
        folder: the folder of all decoys, which children must be able to read.
    """

    def __init__(self) -> None:
        """Make the folder and the watch. Raises SandboxUnavailable."""
        place = tempfile.gettempdir()
        self._lock, self._watched = threading.Lock(), dict[int, Decoy]()
        self._contents = {KEY: secrets.token_bytes(32), LABELS: _labels()}
        try:
            _sweep(Path(place))
            self._events = _checked(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), "inotify")
            self._outer = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
            self._alive = _locked(self._outer)
            self.folder = self._outer / HOMES
            self.folder.mkdir(0o300)
        except OSError as error:
            raise SandboxUnavailable(f"the canary cannot be planted in {place}: {error}") from error

    @contextlib.contextmanager
    def planted(self) -> Iterator[Decoy]:
        """Yield the decoy of one run; afterwards it is gone. Raises OSError."""
        decoy = Decoy(self.folder / secrets.token_hex(8))
        watches: list[int] = []
        try:
            for folder in FOLDERS:
                (decoy.home / folder).mkdir()
            for name, content in self._contents.items():
                (decoy.home / name).write_bytes(content)
            with self._lock:
                for folder in FOLDERS:
                    watches.append(self._watch(decoy.home / folder))
                    self._watched[watches[-1]] = decoy
            yield decoy
        finally:
            with self._lock:
                for watch in watches:
                    del self._watched[watch]
                    _libc.inotify_rm_watch(self._events, watch)
            with contextlib.suppress(OSError):  # half made, or gone already: close() removes the rest
                for name in self._contents:
                    os.unlink(decoy.home / name)
                for folder in reversed(FOLDERS):
                    os.rmdir(decoy.home / folder)

    def opened(self, decoy: Decoy) -> bool:
        """Tell whether anything of a decoy was opened or listed up to now."""
        with self._lock, contextlib.suppress(OSError):  # there is no more to read, or it was closed
            while events := os.read(self._events, _EVENTS):
                place = 0
                while place < len(events):
                    watch, mask, _, length = _EVENT.unpack_from(events, place)
                    if mask & (_IN_OPEN | _IN_ACCESS) and watch in self._watched:
                        self._watched[watch].opened = True
                    place += _EVENT.size + length
        return decoy.opened

    def close(self) -> None:
        """Remove the folder and the watch; closing twice does nothing."""
        with self._lock:
            events, self._events = self._events, -1
        if events >= 0:
            os.close(events)
            _delete(self._outer)
            os.close(self._alive)

    def _watch(self, folder: Path) -> int:
        wanted = _IN_OPEN | _IN_ACCESS | _IN_ONESHOT
        return _checked(_libc.inotify_add_watch(self._events, os.fsencode(folder), wanted), "inotify, another watch")


def _labels() -> bytes:
    """Return a .npy file of random labels."""
    file = io.BytesIO()
    np.save(file, np.random.default_rng().integers(0, 2, ROWS, dtype=np.uint8))
    return file.getvalue()


def _locked(folder: Path) -> int:
    """Take a folder's lock and return the descriptor that holds it. Raises OSError when somebody else has it.

    It says that the folder's maker lives; systemd-tmpfiles(8) leaves locked folders alone too.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _sweep(place: Path) -> None:
    """Remove the folders of processes that were killed before they could."""
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, in use, or swept by somebody else
            found = folder.lstat()
            if found.st_uid == os.geteuid() and time.time() - found.st_mtime > YOUNG:
                os.close(_locked(folder))
                _delete(folder)


def _delete(folder: Path) -> None:
    with contextlib.suppress(OSError):
        (folder / HOMES).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
