"""Reads typed values out of the rows of a query."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from archives.nouns import ArchiveError, Row


def text(row: Row, name: str) -> str:
    """Return a text; empty for NULL."""
    value = row[name]
    return "" if value is None else str(value)


def maybe_real(row: Row, name: str) -> float | None:
    """Return a real; None for NULL and for what cannot be a score: not finite (an interval of one instance) or huge."""
    value = row[name]
    return float(value) if isinstance(value, (int, float)) and abs(value) <= LARGEST else None


def real(row: Row, name: str) -> float:
    """Return a real; 0 for NULL (an empty sum)."""
    return maybe_real(row, name) or 0.0


def maybe_integer(row: Row, name: str) -> int | None:
    """Return an integer; None for NULL."""
    value = row[name]
    return value if isinstance(value, int) else None


def integer(row: Row, name: str) -> int:
    """Return an integer; 0 for NULL (an empty sum)."""
    return maybe_integer(row, name) or 0


_LENIENT: Mapping[Any, Callable[[Row, str], object]] = {
    str: text, int: integer, float: real, int | None: maybe_integer, float | None: maybe_real,
}  # fmt: skip
LARGEST = 1e15  # of a real; arithmetic on what is larger may overflow
_EXACT = frozenset({str, int})  # types of which every value is good
_PLAIN = _EXACT | {float}  # the same inside JSON
_DECODER = json.JSONDecoder()
N = TypeVar("N")


class _Wrong(Exception):
    """A value of another type."""


def noun(kind: type[N], row: Row, **given: object) -> N:
    """Return a noun from the columns of its fields, those that are not given. Raises ArchiveError for a wrong type."""
    read = dict(given)
    for name, hint, reader in _plan(cast(Hashable, kind), tuple(given)):
        try:
            held = row[name]
            read[name] = held if type(held) is hint and hint in _EXACT else reader(held)
        except (_Wrong, LookupError):
            read[name] = value(row, name, hint)
    return kind(**read)


def lenient(kind: type[N], row: Row, **given: object) -> N:
    """Return a noun for a page or a table: of its fields those that are given, and those that the row has a column for.

    Nothing is refused: each is read by the function above that is for its type.
    """
    plan = _plan(cast(Hashable, kind), tuple(given))
    return kind(**given, **{name: _LENIENT[hint](row, name) for name, hint, _ in plan if name in row})


def nouns(kind: type[N], rows: Sequence[tuple[object, ...]]) -> Iterator[N]:
    """Return nouns from rows that hold their fields in order, read column by column: that is quicker than row by row.

    Raises ArchiveError for a wrong type.
    """
    columns = [_column(held, *field) for held, field in zip(zip(*rows), _plan(cast(Hashable, kind), ()))]
    return map(kind, *columns) if rows else iter(())


def fields(kind: type) -> str:
    """Return the names of a noun's fields, as a query lists its columns."""
    return ", ".join(name for name, _, _ in _plan(cast(Hashable, kind), ()))


def value(row: Row, name: str, kind: Any) -> Any:
    """Return a column's value as a str, int, float, enum or optional one, or from JSON as a tuple or mapping.

    Raises ArchiveError when it is missing or something else.
    """
    try:
        held = row[name]
        return held if type(held) is kind and kind in _EXACT else _reader(kind)(held)
    except (_Wrong, LookupError):
        text = repr(row.get(name))
        shown = text if len(text) <= 40 else f"{text[:39]}…"
        wanted = getattr(kind, "__name__", None) if isinstance(kind, type) else str(kind)
        raise ArchiveError(
            f"the archive holds {name} = {shown}, which is no {wanted}: it is damaged or was tampered with"
        ) from None


@cache
def _plan(kind: Any, given: tuple[str, ...]) -> list[tuple[str, Any, Callable[[object], object]]]:
    """Return the fields of a noun that are not given: name, type, and what reads it."""
    return [(name, hint, _reader(hint)) for name, hint in get_type_hints(kind).items() if name not in given]


def _column(held: Sequence[object], name: str, hint: Any, reader: Callable[[object], object]) -> Sequence[object]:
    """Read a column: most have the right type throughout, and of the texts that hold a list many are the same."""
    kinds, optional = set(map(type, held)), get_origin(hint) is UnionType
    plain = get_args(hint)[0] if optional else hint
    if plain in _PLAIN and kinds <= ({plain, NoneType} if optional else {plain}) and (plain in _EXACT or _are_real(held)):
        return held
    try:
        if kinds == {str} and get_origin(hint) is tuple:
            read = {text: reader(text) for text in set(held)}
            return [read[text] for text in held]
        return [reader(one) for one in held]
    except _Wrong:
        return [value({name: one}, name, hint) for one in held]


@cache
def _reader(kind: Any) -> Callable[[object], object]:
    """Return what reads values of a type; it raises _Wrong for others."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        within = _reader(inner[0])
        return lambda held: None if held is None else within(held)
    if origin is tuple:
        return partial(_tuple, inner[0])
    if origin in (Mapping, dict):
        return partial(_mapping, inner[1])
    if kind is float:
        return _real
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return partial(_member, {str(one): one for one in kind})
    return partial(_instance, kind)


def _are_real(held: Sequence[Any]) -> bool:
    """Tell whether all floats of a column are ones that arithmetic may use."""
    some = [one for one in held if one is not None] if None in held else held
    return not some or (min(some) >= -LARGEST and max(some) <= LARGEST)


def _real(held: object) -> float:
    if type(held) is float and -LARGEST <= held <= LARGEST:
        return held
    if isinstance(held, int | float) and math.isfinite(held) and abs(held) <= LARGEST:
        return float(held)
    raise _Wrong


def _member(known: Mapping[str, StrEnum], held: object) -> StrEnum:
    if isinstance(held, str) and held in known:
        return known[held]
    raise _Wrong


def _instance(kind: type, held: object) -> object:
    if isinstance(held, kind) and not isinstance(held, bool):
        return held
    raise _Wrong


def _tuple(kind: type, held: object) -> object:
    """Read a JSON list of one type."""
    found = _parsed(held)
    if not isinstance(found, list):
        raise _Wrong
    uniform = set(map(type, found)) <= {kind} <= _PLAIN
    return tuple(found if uniform else [_inner(one, kind) for one in found])


def _mapping(kind: type, held: object) -> object:
    """Read a JSON object whose values have one type."""
    found = _parsed(held)
    if not isinstance(found, dict):
        raise _Wrong
    return {name: _inner(one, kind) for name, one in found.items()}


def _parsed(held: object) -> object:
    try:
        text = cast(str, held)
        found, end = _DECODER.raw_decode(text)
        return found if end == len(text) else json.loads(text)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise _Wrong from None


def _inner(held: object, kind: type) -> object:
    """Read a value inside JSON; a literal in a method's source may be infinite, so a number here may too."""
    if kind is float and isinstance(held, float):
        return held
    return _reader(kind)(held)
