"""Reads the files of a user's own data, npz, parquet and csv, as named arrays; what cannot be read is said with its place."""

from __future__ import annotations

import csv
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from fitness.registry import UsageError

KINDS = (".npz", ".parquet", ".csv")
SEPARATORS = ",;\t|"
GAPS = ("", "na", "n/a", "nan", "null", "none", "?", "-")  # how a missing number is written
BLOCK = 4096  # lines that become numbers at a time
FEATURES, WEAK, LABELS, TEACHER, PAIRS = "features", "weak", "labels", "teacher", "pairs"
_NAMES = {"label": LABELS, **{name: name for name in (WEAK, LABELS, TEACHER)}}  # columns that are no feature

DAMAGE = (
    ValueError, KeyError, EOFError, RuntimeError, TypeError, IndexError, SyntaxError, MemoryError, OverflowError,
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
)  # fmt: skip  # what numpy and zipfile raise for a file with a byte that is another

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class DataArrays:
    """What a file, or the user, hands over.

    Attributes:
        arrays: by name: features, and those of weak, labels, teacher and pairs that there are.
        names: of the columns of the features, in their order; () where they have none.
    """

    arrays: Arrays
    names: tuple[str, ...] = ()


def read(path: Path) -> DataArrays:
    """Return the arrays of a file.

    Raises UsageError, naming the line and the column where there are any.
    """
    try:
        if path.suffix == ".npz":
            return DataArrays(_npz(path))
        return _arranged(path, *(_parquet(path) if path.suffix == ".parquet" else _csv(path)))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error


def taken(given: Any, what: str) -> DataArrays:
    """Return arrays that were handed over by name, as `read` returns those of a file. Raises UsageError, naming the array."""
    if not isinstance(given, Mapping):
        kind = type(given).__name__
        raise UsageError(f'{what} is of type {kind}: hand over arrays by name, such as {{"features": x, "weak": w}}')
    arrays = {name: _array(value, f"the array {name} of {what}") for name, value in given.items() if value is not None}
    columns = getattr(given.get(FEATURES), "columns", None)  # of a data frame
    names = tuple(columns) if isinstance(columns, Iterable) else ()
    found = _known(arrays, what)
    if not names or not all(isinstance(name, str) for name in names) or found[FEATURES].shape[1:] != (len(names),):
        return DataArrays(found)  # numbers only count the columns
    _check_twice(names, f"the features of {what}")
    return DataArrays(found, names)


def _array(value: Any, what: str) -> np.ndarray:
    try:
        return np.asarray(value, order="C")  # the files of equal arrays are equal
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"{what} is no array of numbers: rows of different lengths, or nothing that numpy reads") from None


def _known(arrays: Mapping[str, np.ndarray], what: object) -> Arrays:
    """Return arrays by the names that a task knows them by. Raises UsageError for others, and for what holds no numbers."""
    for name, array in arrays.items():
        if name not in (FEATURES, PAIRS, *_NAMES):
            raise UsageError(f"{what} holds an array {name!r}: it takes features, weak, labels, teacher and pairs")
        if array.dtype.kind not in "fiub":
            raise UsageError(f"the array {name} of {what} is of type {array.dtype}: it takes numbers")
    found = {_NAMES.get(name, name): array for name, array in arrays.items()}
    if len(found) < len(arrays):
        raise UsageError(f"{what} holds both an array label and an array labels: leave one")
    return found


def _npz(path: Path) -> Arrays:
    try:
        if not zipfile.is_zipfile(path):
            raise UsageError(f"{path} is no npz file: write it with numpy.savez")
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except DAMAGE as error:
        why = "an array of it holds objects" if "pickle" in str(error).lower() else "it is damaged"
        raise UsageError(f"cannot read {path}: {why}; write it with numpy.savez, arrays of numbers alone") from error
    return _known(found, path)


def _parquet(path: Path) -> tuple[list[str], np.ndarray]:
    try:
        from pyarrow import parquet  # type: ignore[import-not-found,unused-ignore]  # it may be there or not
    except ImportError:
        raise UsageError(f"{path} needs pyarrow: pip install pyarrow, or write npz or csv") from None
    try:
        table = parquet.read_table(path)
    except (ValueError, OSError) as error:  # pyarrow's own errors are of these types
        raise UsageError(f"cannot read {path}: {' '.join(str(error).split())[:200]}") from error
    columns = []
    for name, column in zip(table.column_names, table.columns):
        if column.null_count:
            gaps = f"{column.null_count} gap{'s' * (column.null_count > 1)}"
            raise UsageError(f"column {name} of {path} has {gaps}: fill them, or leave the rows out")
        values = column.to_numpy()
        if values.dtype.kind not in "fiub":
            raise UsageError(f"column {name} of {path} is of type {column.type}: it takes numbers")
        columns.append(values.astype(np.float64))
    return list(table.column_names), np.stack(columns, 1) if columns else np.empty((0, 0))


def _csv(path: Path) -> tuple[list[str], np.ndarray]:
    text = _decoded(path)
    first = text.split("\n", 1)[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        names = [name.strip() for name in next(reader, [])]
        _check_header(path, names)
        blocks = list(_blocks(path, names, reader, separator))
    except csv.Error as error:
        raise UsageError(f"line {reader.line_num} of {path} is no line of a csv file: {error}") from error
    if not blocks:
        raise UsageError(f"{path} has a header and no rows")
    return names, np.concatenate(blocks)


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(f"line {line} of {path} is not UTF-8 text: save the file as UTF-8") from error


def _check_header(path: Path, names: Sequence[str]) -> None:
    if not any(names):
        raise UsageError(f"{path} is empty: its first line names the columns")
    if all(_is_number(name) for name in names):
        raise UsageError(f"the first line of {path} holds numbers: it must name the columns")
    for place, name in enumerate(names, 1):
        if not name:
            raise UsageError(f"column {place} of {path} has no name in the first line")


def _check_twice(names: Sequence[str], what: object) -> None:
    seen = set[str]()
    for name in names:
        if name in seen:
            raise UsageError(f"two columns of {what} are named {name}")
        seen.add(name)


def _blocks(path: Path, names: Sequence[str], reader: Iterator[list[str]], separator: str) -> Iterator[np.ndarray]:
    rows = _rows(path, names, reader, separator)
    while block := list(islice(rows, BLOCK)):
        try:
            values = np.array([row for _, row in block], dtype=np.float64)
            sound = bool(np.isfinite(values).all())
        except ValueError:
            sound = False
        if not sound:
            _complain(path, names, block, separator)
        yield values


def _rows(path: Path, names: Sequence[str], reader: Iterator[list[str]], separator: str) -> Iterator[tuple[int, list[str]]]:
    for row in reader:
        line: int = reader.line_num  # type: ignore[attr-defined]  # of csv's reader, which has no type of its own
        if not separator.join(row).strip():
            continue  # nothing but blanks
        if len(row) != len(names):
            raise UsageError(f"line {line} of {path} has {len(row)} cells, and the first line names {len(names)} columns")
        yield line, row


def _complain(path: Path, names: Sequence[str], block: Sequence[tuple[int, list[str]]], separator: str) -> None:
    """Name the first cell that is no finite number. Raises UsageError."""
    for line, row in block:
        for name, cell in zip(names, row):
            if cell.strip().lower() in GAPS:
                raise UsageError(f"line {line}, column {name} of {path} is a gap: fill it, or leave the row out")
            if not _is_number(cell):
                comma = separator != "," and _is_number(cell.replace(",", "."))
                advice = "write decimals with a point" if comma else "a feature or label is a number"
                raise UsageError(f"line {line}, column {name} of {path} holds {cell[:40]!r}: {advice}")
            if not np.isfinite(float(cell)):
                raise UsageError(f"line {line}, column {name} of {path} is not finite")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _arranged(path: Path, names: Sequence[str], values: np.ndarray) -> DataArrays:
    """Part the columns of a table into arrays: weak or weak_0, weak_1, ... and so on; what is left are features."""
    _check_twice(names, path)
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        stem, _, number = name.lower().rpartition("_")
        kind = _NAMES.get(name.lower()) or (_NAMES.get(stem) if number.isdigit() else None) or FEATURES
        places.setdefault(kind, []).append(place)
    found = {kind: values[:, columns] for kind, columns in places.items()}
    for kind in found.keys() - {FEATURES}:
        numbers = [name.rpartition("_")[2] for name in (names[place] for place in places[kind])]
        if len(numbers) > 1 and numbers != [str(i) for i in range(len(numbers))]:
            raise UsageError(f"the columns of {kind} in {path} are not {kind}_0, {kind}_1 and so on, in order")
        if len(numbers) == 1:
            found[kind] = found[kind][:, 0]
    return DataArrays(found, tuple(names[place] for place in places.get(FEATURES, ())))
