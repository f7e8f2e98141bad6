"""Makes standard output and standard error take what we print: any text in any encoding, closed, or read by nobody any more."""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

from evolve.errors import EvolveError

HANDLER, ASCII = "evolve", "evolve_ascii"  # names of our error handler and codec
# what stands for characters of ours where an encoding lacks them; all others are written as escapes
_PLAIN = dict(zip("…–−·⚑●○█▇▆▅▄▃▂▁│├─╮≥→←“”", ["...", *"--.!*o##**++-.||-+", ">=", "->", "<-", '"', '"']))
_TELLS_NOBODY = (errno.EPIPE, errno.EIO, errno.EBADF)


class OutputLost(EvolveError):
    """What was printed could not be written, as on a full disk."""


class ReaderGone(Exception):
    """Whoever read what was printed wants no more of it. It is no OSError, which click would make an end of its own."""


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(c) or c.encode("unicode_escape").decode("ascii") for c in lacking), error.end


def _found(name: str) -> codecs.CodecInfo | None:
    """Return ASCII under a name of ours: click takes a stream in plain ASCII for a mistake, and writes UTF-8 into it."""
    if name != ASCII:
        return None
    ascii = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ascii.encode,
        ascii.decode,
        ascii.streamreader,
        ascii.streamwriter,
        ascii.incrementalencoder,
        ascii.incrementaldecoder,
        name,
    )


codecs.register_error(HANDLER, _replaced)
codecs.register(_found)


class _Outlet(io.FileIO):
    """A descriptor that is written to; when nobody takes what is written, it goes nowhere from then on."""

    lost = ""  # why, as words
    quiet = False  # whether that is no error here

    def write(self, data: Any, /) -> int:
        """Write. Raises ReaderGone, or OutputLost when the disk is full: the first time only."""
        try:
            return super().write(data)
        except OSError as error:
            self.lost = os.strerror(error.errno or 0)
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if self.quiet:
                return memoryview(data).nbytes
            if error.errno in _TELLS_NOBODY:
                raise ReaderGone(self.lost) from error
            raise OutputLost(f"the output cannot be written: {self.lost}") from error


def adapt() -> None:
    """Let both streams take any text: what their encoding lacks is written in other characters. Others' streams stay."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=_encoding(stream.encoding), errors=HANDLER)


def prepare() -> None:
    """Do so for a program of our own: open what is closed, and see that a reader who goes away ends nothing in a traceback."""
    for descriptor in range(3):  # a closed one would be taken by the next file that is opened, an archive perhaps
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None or (stream is getattr(sys, f"__{name}__") and type(stream) is io.TextIOWrapper):
            setattr(sys, name, _opened(stream, descriptor))
    adapt()


def _opened(stream: io.TextIOWrapper | None, descriptor: int) -> io.TextIOWrapper:
    """Return a stream like this one on our own outlet."""
    buffer = io.BufferedWriter(_Outlet(descriptor, "w", closefd=False))
    if stream is None:
        return io.TextIOWrapper(buffer, "utf-8", HANDLER)
    stream.flush()
    return io.TextIOWrapper(
        buffer, stream.encoding, HANDLER, line_buffering=stream.line_buffering, write_through=stream.write_through
    )


def _encoding(name: str) -> str | None:
    return ASCII if codecs.lookup(name).name == "ascii" else None


def lost() -> str:
    """Return why standard output is lost, "" while it is not."""
    return _outlet().lost


@contextlib.contextmanager
def going_on() -> Iterator[None]:
    """Go on when standard output is lost meanwhile, as `lost` tells: what is at work ends as it does after a Ctrl-C."""
    outlet = _outlet()
    outlet.quiet = True
    try:
        yield
    finally:
        outlet.quiet = False


def _outlet() -> _Outlet:
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw if isinstance(raw, _Outlet) else _Outlet(os.devnull, "w")
