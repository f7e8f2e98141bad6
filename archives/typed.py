"""Typed values out of rows: an archive may come from anybody, so nothing in it is trusted to have its column's type."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from archives.nouns import ArchiveError, Row

LARGEST = 1e15  # of a real; arithmetic on what is larger may overflow
_EXACT = frozenset({str, int})  # types of which every value is good
_PLAIN = _EXACT | {float}  # the same inside JSON
N = TypeVar("N")
_known: dict[type, dict[str, Any]] = {}


class _Wrong(Exception):
    """A value of another type."""


def noun(kind: type[N], row: Row, **given: object) -> N:
    """Return a noun from the columns of its fields, those that are not given. Raises ArchiveError for a wrong type."""
    read = {name: value(row, name, hint) for name, hint in _hints(kind).items() if name not in given}
    return kind(**read, **given)


def value(row: Row, name: str, kind: Any) -> Any:
    """Return a column's value as a str, int, float, enum or optional one, or from JSON as a tuple or mapping.

    Raises ArchiveError when it is missing or something else.
    """
    try:
        held = row[name]
        return held if type(held) is kind and kind in _EXACT else _read(held, kind)
    except (_Wrong, LookupError):
        text = repr(row.get(name))
        shown = text if len(text) <= 40 else f"{text[:39]}…"
        wanted = getattr(kind, "__name__", None) if isinstance(kind, type) else str(kind)
        raise ArchiveError(
            f"the archive holds {name} = {shown}, which is no {wanted}: it is damaged or was tampered with"
        ) from None


def _hints(kind: type) -> dict[str, Any]:
    """Return the types of a noun's fields, worked out once."""
    if kind not in _known:
        _known[kind] = get_type_hints(kind)
    return _known[kind]


def _read(held: object, kind: Any) -> object:
    if kind is float and type(held) is float and -LARGEST <= held <= LARGEST:
        return held
    origin, inner = _shape(kind)
    if origin is UnionType:
        return None if held is None else _read(held, inner[0])
    if origin in (tuple, Mapping, dict):
        return _parsed(held, kind)
    if kind is float and isinstance(held, int | float) and math.isfinite(held) and abs(held) <= LARGEST:
        return float(held)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if isinstance(held, str) and held in set(kind):
            return kind(held)
    elif kind is not float and isinstance(held, kind) and not isinstance(held, bool):
        return held
    raise _Wrong


@cache
def _shape(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return what a type is made of: its origin, and what is in its brackets."""
    return get_origin(kind), get_args(kind)


def _parsed(held: object, kind: Any) -> object:
    """Read JSON: a list of one type, or an object whose values have one type."""
    try:
        found = json.loads(cast(str, held))
    except (ValueError, TypeError, RecursionError):
        raise _Wrong from None
    origin, inner = _shape(kind)
    if origin is tuple and isinstance(found, list):
        uniform = set(map(type, found)) <= {inner[0]} <= _PLAIN
        return tuple(found if uniform else [_inner(one, inner[0]) for one in found])
    if origin is not tuple and isinstance(found, dict):
        return {name: _inner(one, inner[1]) for name, one in found.items()}
    raise _Wrong


def _inner(held: object, kind: type) -> object:
    """Read a value inside JSON; a literal in a method's source may be infinite, so a number here may too."""
    if kind is float and isinstance(held, float):
        return held
    return _read(held, kind)
