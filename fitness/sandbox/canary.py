"""Plants a canary, a decoy vault with wrong labels, in every child's environment, and tells which child opened it.

`EVOLVE_HOME` names the real vault outside; inside it names a home that was made for one run, under a name nobody can guess, in
a folder that can be entered but not listed. No honest method has a reason to look there, so what is opened or listed below it
names the thief, however many runs are in flight. The watch is inotify(7): it is on the inodes, so it also sees what happens in
another mount namespace, and an event is there before the open(2) that caused it has returned.

Nobody else may be taken for the method. At level A the folder is a file system of the sandbox's own, to which no path outside
leads. Elsewhere others do look (a backup, find, a virus scanner), so beside each decoy lies a second one whose name the method
is not told: when that is opened too, somebody goes through the whole folder, and nobody is accused.
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
MOMENT = 0.2  # seconds in which somebody who goes through the folder comes from one decoy to the next
YOUNG = 60.0  # seconds in which a folder may not have its lock yet

_libc = ctypes.CDLL(None, use_errno=True)
_IN_ACCESS, _IN_OPEN, _IN_ONESHOT = 0x1, 0x20, 0x80000000  # each watch fires once: no flood can drown another run's event
_EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows
_EVENTS = 1 << 16  # bytes read at a time


@dataclass
class Decoy:
    """One run's decoy home.

    Attributes:
        home: where it is for the method.
        opened: whether it was opened or listed, or anything below it was; as far as the events have been read.
        disturbed: whether the one beside it was.
    """

    home: Path
    opened: bool = False
    disturbed: bool = False


class Canary:
    """Plants decoys and watches them. Safe to use from several threads.

    Attributes:
        folder: the folder of all decoys, which children must be able to read; where it is for them.
    """

    def __init__(self, inside: Path | None = None) -> None:
        """Make the watch, and the folder unless it is to be one `inside` the sandbox, see `move`. Raises SandboxUnavailable."""
        place = tempfile.gettempdir()
        self._lock, self._watched = threading.Lock(), dict[int, tuple[Decoy, bool]]()
        self._contents = {KEY: secrets.token_bytes(32), LABELS: _labels()}
        self._held: list[int] = []  # descriptors that are closed at the end
        self._outer: Path | None = None
        try:
            _sweep(Path(place))
            self._events = _checked(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), "inotify")
            self.folder = self._place = inside or self._own_folder(place)
        except OSError as error:
            raise SandboxUnavailable(f"the canary cannot be planted in {place}: {error}") from error

    def _own_folder(self, place: str) -> Path:
        self._outer = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        self._held.append(_locked(self._outer))
        folder = self._outer / HOMES
        folder.mkdir(0o300)
        return folder

    def move(self, descriptor: int) -> None:
        """Plant from now on below a folder inside a sandbox, by a descriptor of it, which is then the canary's."""
        self._held.append(descriptor)
        self._place = Path(f"/proc/self/fd/{descriptor}")

    @contextlib.contextmanager
    def planted(self) -> Iterator[Decoy]:
        """Yield the decoy of one run; afterwards it is gone, and the one beside it. Raises OSError."""
        name = secrets.token_hex(8)
        decoy = Decoy(self.folder / name)
        homes = [self._place / name, self._place / secrets.token_hex(8)]
        watches: list[int] = []
        try:
            for home in homes:
                self._make(home)
                with self._lock:
                    for folder in FOLDERS:
                        watches.append(self._watch(home / folder))
                        self._watched[watches[-1]] = decoy, home is not homes[0]
            yield decoy
        finally:
            with self._lock:
                for watch in watches:
                    del self._watched[watch]
                    _libc.inotify_rm_watch(self._events, watch)
            for home in homes:
                self._remove(home)

    def _make(self, home: Path) -> None:
        for folder in FOLDERS:
            (home / folder).mkdir()
        for name, content in self._contents.items():
            (home / name).write_bytes(content)

    def _remove(self, home: Path) -> None:
        with contextlib.suppress(OSError):  # half made, or gone already: close() removes the rest
            for name in self._contents:
                os.unlink(home / name)
            for folder in reversed(FOLDERS):
                os.rmdir(home / folder)

    def opened(self, decoy: Decoy) -> bool:
        """Tell whether anything of a decoy was opened or listed up to now."""
        with self._lock, contextlib.suppress(OSError):  # there is no more to read, or it was closed
            while events := os.read(self._events, _EVENTS):
                place = 0
                while place < len(events):
                    watch, mask, _, length = _EVENT.unpack_from(events, place)
                    if mask & (_IN_OPEN | _IN_ACCESS) and watch in self._watched:
                        found, beside = self._watched[watch]
                        found.disturbed, found.opened = found.disturbed or beside, found.opened or not beside
                    place += _EVENT.size + length
        return decoy.opened

    def accuses(self, decoy: Decoy) -> bool:
        """Tell whether the method itself opened its decoy: nobody has opened the one beside it, nor does within a moment."""
        end = time.monotonic() + MOMENT
        while self.opened(decoy) and not decoy.disturbed and time.monotonic() < end:
            time.sleep(MOMENT / 10)
        return decoy.opened and not decoy.disturbed

    def close(self) -> None:
        """Remove the folder and the watch; closing twice does nothing."""
        with self._lock:
            events, self._events = self._events, -1
        if events >= 0:
            os.close(events)
            if self._outer is not None:
                _delete(self._outer)
            for descriptor in self._held:
                os.close(descriptor)

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
