"""Finds what a name stands for: an entry of a table, `module:attribute`, or `path/to/file.py[:attribute]`.

A file that is named is imported, so it is code that the user trusts. Callers let no name out of an archive come here.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from fitness.nouns import EvolveError

_REFERENCE = re.compile(r".+\.py(:[\w.]+)?|[\w.]+:[\w.]+")
_defining = list[bool]()  # not empty in a process that wants of files what they define, and begins nothing (definitions_only)
_MARK = "-"  # in the name of a module that was imported from its file: no other module has one


class UsageError(EvolveError):
    """A flag, file or config value that cannot be used."""


class Defined(BaseException):
    """A file that is imported for what it defines has come to where it begins to work: what it defined is there."""


def definitions_only() -> None:
    """Let files that this process imports end where they begin a search or judge something (ends_definitions)."""
    _defining.append(True)


def ends_definitions() -> None:
    """Say that work begins here. Raises Defined in a process that imports files for their definitions only."""
    if _defining:
        raise Defined


def find(reference: str, table: Mapping[str, str], unknown: str, needs: Sequence[str] = ()) -> Any:
    """Return what a reference stands for; `needs` names the attributes that it must have.

    Raises UsageError: with the sentence `unknown` for a plain name that is not in the table, else as `load` does.
    """
    if reference in table:
        return resolve(table[reference])
    if not is_reference(reference):
        raise UsageError(unknown)
    found = load(reference)
    for name in needs:
        if not hasattr(found, name):
            raise UsageError(f"{reference} cannot be used here: it has no {name}, and needs {', '.join(needs)}")
    return found


def is_reference(text: str) -> bool:
    """Tell whether a text names a file or a module's attribute, rather than an entry of a table."""
    return _REFERENCE.fullmatch(text) is not None


def resolve(dotted: str) -> Any:
    """Import what `module:attribute` names, without a word about errors: for names of our own."""
    module, _, attribute = dotted.partition(":")
    return getattr(import_module(module), attribute)


def load(reference: str, *attributes: str) -> Any:
    """Import what a reference names; a file without `:attribute` is asked for the first of those given that it defines.

    Raises UsageError, in one sentence that names the file, the line and the reason, when that fails.
    """
    place, name = _split(reference)
    if not name and not attributes:
        raise UsageError(f"{place} is a whole file: write what is wanted of it as {place}:NAME")
    found: Any = _from_file(Path(place)) if place.endswith(".py") else _module(place)
    name = name or next((one for one in attributes if hasattr(found, one)), attributes[0])
    try:
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError:
        raise UsageError(f"{place} defines no {name}: define it there, or name another as {place}:NAME") from None
    return found


def file_of(reference: str) -> Path:
    """Return the file that a reference names, or that its module lies in. Raises UsageError when there is none."""
    place, _ = _split(reference)
    found = place if place.endswith(".py") else getattr(_module(place), "__file__", None)
    if found is None:
        raise UsageError(f"the module {place} lies in no file: put what you need into one, and name that")
    return Path(found).expanduser().resolve()


def digest(path: Path) -> str:
    """Return eight hexadecimal digits of a file's SHA-256. Raises UsageError when it cannot be read."""
    return hashlib.sha256(_read(path)).hexdigest()[:8]


def reference_of(kind: type) -> str:
    """Return a reference that finds a class in another process, by its file where it was imported from one."""
    by_file = _MARK in kind.__module__ or kind.__module__ == "__main__"
    place = getattr(sys.modules[kind.__module__], "__file__", None) if by_file else None
    return f"{place or kind.__module__}:{kind.__qualname__}"


def _split(reference: str) -> tuple[str, str]:
    """Return the file or module, and the attribute; "" for a whole file."""
    if reference.endswith(".py"):
        return reference, ""
    place, _, name = reference.rpartition(":")
    return place, name


def _module(name: str) -> ModuleType:
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return import_module(name)
    except Defined:
        guard = 'put that under if __name__ == "__main__"'
        raise UsageError(f"the module {name} begins a search when it is imported: {guard}") from None
    except (Exception, SystemExit) as error:
        raise UsageError(f"the module {name} cannot be imported: {_said(error)}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error


def _from_file(path: Path) -> ModuleType:
    """Import a file as it is now: what ran before of the same text is used again."""
    path = path.expanduser().resolve()
    source = _read(path)
    name = f"{path.stem}{_MARK}{hashlib.sha256(bytes(path) + source).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_loader(name, None, origin=str(path))
    assert spec is not None
    module = module_from_spec(spec)
    module.__file__ = str(path)
    module.__dict__["print"] = _aside
    sys.modules[name] = module  # dataclasses look their module up
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except Defined:
        return module
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UsageError(f"{path}{_line(error, path)} cannot be imported: {_said(error)}{_beside(error, path)}") from error
    return module


def _aside(*values: object, file: TextIO | None = None, **how: Any) -> None:
    """Print to standard error: on standard output stand results of ours, JSON among them."""
    print(*values, file=file or sys.stderr, **how)


def _line(error: BaseException, path: Path) -> str:
    """Return at which line of a file it went wrong."""
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == str(path)]
    if isinstance(error, SyntaxError) and error.filename == str(path):
        lines.append(error.lineno or 1)
    return f", line {lines[-1]}," if lines else ""


def _beside(error: BaseException, path: Path) -> str:
    """Return what to do where a file imports another that lies beside it: its digest would not cover that one."""
    missing = error.name.partition(".")[0] if isinstance(error, ModuleNotFoundError) and error.name else ""
    if not missing or not ((path.parent / missing).is_dir() or (path.parent / f"{missing}.py").exists()):
        return ""
    return f"; {missing} lies beside it, and what is named stands in one file: write it in there, or install it as a package"


def _said(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
