"""Reads rows of text with their labels, in the two formats of AAR's folders: comparisons of two answers, and single answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fitness.registry import UsageError
from fitness.tasks.data.pool import check_name, digest_of

LABELLED, UNLABELLED, TEST = "train_label", "train_unlabel", "test"  # the files of a domain
KINDS = (".jsonl", ".json")
RESULTS = "cache_results"  # a folder beside the domains: results of runs that were made elsewhere
ASK = "Label:"  # how every prompt ends


@dataclass(frozen=True)
class RowFormat:
    """One of the two formats.

    Attributes:
        fields: the texts of a row; the first is the question.
        template: the prompt, but for its end, ASK.
        answers: the words for class 0 and class 1, as they follow ASK.
        labels: how class 0 and class 1 are written.
    """

    fields: tuple[str, ...]
    template: str
    answers: tuple[str, str]
    labels: tuple[Any, Any]


COMPARISON = RowFormat(
    ("prompt", "first", "second"), "Question: {prompt}\nAnswer A: {first}\nAnswer B: {second}\n", ("A", "B"), ("A", "B")
)
SINGLE = RowFormat(("question", "choice"), "Question: {question}\nAnswer: {choice}\n", ("False", "True"), (False, True))


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of one file.

    Attributes:
        format: theirs.
        texts: the fields of each row, in the order of the format.
        labels: (n,) their true classes, None where the file has none.
    """

    format: RowFormat
    texts: tuple[tuple[str, ...], ...]
    labels: np.ndarray | None

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompt of each row, but for its end, ASK."""
        return tuple(self.format.template.format(**dict(zip(self.format.fields, text))) for text in self.texts)


@dataclass(frozen=True, eq=False)
class Domain:
    """The files of one domain.

    Attributes:
        labelled: what the weak teacher is fitted on; None where there is no such file, and its labels come from elsewhere.
        train: what it labels; a label of their own is used for the ceiling alone.
        test: what methods are scored on.
    """

    labelled: Rows | None
    train: Rows
    test: Rows

    @property
    def parts(self) -> Mapping[str, Rows]:
        """The rows by file."""
        found = {LABELLED: self.labelled, UNLABELLED: self.train, TEST: self.test}
        return {name: rows for name, rows in found.items() if rows is not None}


def domains_of(folder: Path) -> tuple[str, ...]:
    """Return the domains in a folder, in order. Raises UsageError when there are none, or one has no name."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}: --data names one with a folder a domain in it")
    inner = (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".") and path.name != RESULTS)
    found = sorted(path.name for path in inner)
    if not found:
        files = f"{LABELLED}.jsonl, {UNLABELLED}.jsonl and {TEST}.jsonl"
        raise UsageError(f"{folder} has no folders: put {files} into {folder}/NAME/")
    for name in found:
        check_name(name, f"the folder {folder / name}")
    return tuple(found)


def files_of(folder: Path) -> dict[str, Path]:
    """Return the files of a domain by what they hold. Raises UsageError when one is missing, or there are two of it."""
    files = dict[str, Path]()
    for stem in (LABELLED, UNLABELLED, TEST):
        found = [path for kind in KINDS if (path := folder / f"{stem}{kind}").is_file()]
        if len(found) > 1:
            raise UsageError(f"{folder} has both {found[0].name} and {found[1].name}: leave one")
        if not found and stem != LABELLED:
            raise UsageError(f"{folder} has no {stem}.jsonl or {stem}.json")
        files.update((stem, path) for path in found)
    return files


def digests(folder: Path) -> dict[str, str]:
    """Return eight hexadecimal digits of the SHA-256 of each file, by its place in the folder."""
    paths = [path for domain in domains_of(folder) for path in files_of(folder / domain).values()]
    paths += sorted((folder / RESULTS).rglob("seed_*.json"))
    return {str(path.relative_to(folder)): digest_of(path) for path in paths}


def load(folder: Path) -> Domain:
    """Read a domain. Raises UsageError with what is wrong with its files."""
    files = files_of(folder)
    found = {stem: read(path) for stem, path in files.items()}
    forms = {rows.format.fields: files[stem].name for stem, rows in found.items()}
    if len(forms) > 1:
        (one, name), (other, second) = list(forms.items())[:2]
        raise UsageError(f"{folder}: {name} has rows of {', '.join(one)} and {second} of {', '.join(other)}: take one format")
    for stem in (LABELLED, TEST):
        if stem in found and found[stem].labels is None:
            raise UsageError(f"{files[stem]} has no labels: each of its rows needs one")
    return Domain(found.get(LABELLED), found[UNLABELLED], found[TEST])


def read(path: Path) -> Rows:
    """Read the rows of a jsonl file (one a line) or a json file (a list). Raises UsageError, naming the line or the row."""
    rows = list(_lines(path) if path.suffix == ".jsonl" else _listed(path))
    if not rows:
        raise UsageError(f"{path} has no rows")
    form = _form(*rows[0])
    texts = tuple(_texts(row, form, where) for row, where in rows)
    labels = [row.get("label") for row, _ in rows]
    missing = sum(_is_missing(label) for label in labels)
    if missing == len(rows):
        return Rows(form, texts, None)
    if missing:
        first = next(where for (row, where) in rows if _is_missing(row.get("label")))
        raise UsageError(f"{first} has no label, and others have one: label all rows, or none")
    return Rows(form, texts, np.array([_label(row["label"], form, where) for row, where in rows], np.uint8))


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        if line.strip():
            yield _object(line, f"line {number} of {path}"), f"line {number} of {path}"


def _listed(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    try:
        found = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON ({error}): write a list of rows, or a row a line as jsonl") from error
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise UsageError(f"{path} holds no list of rows: write [{{...}}, {{...}}], or a row a line as jsonl")
    yield from ((row, f"row {number} of {path}") for number, row in enumerate(found, 1))


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{where} holds {type(found).__name__}, and a row is an object such as {{...}}")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: save it as UTF-8") from error


def _form(row: Mapping[str, Any], where: str) -> RowFormat:
    for form in (COMPARISON, SINGLE):
        if all(field in row for field in form.fields):
            return form
    known = " or ".join(", ".join(form.fields) for form in (COMPARISON, SINGLE))
    raise UsageError(f"{where} has {', '.join(row) or 'nothing'}: a row has {known}, and label")


def _texts(row: Mapping[str, Any], form: RowFormat, where: str) -> tuple[str, ...]:
    for field in form.fields:
        if not isinstance(row.get(field), str):
            raise UsageError(f"{where} has no text {field}: its file has {', '.join(form.fields)}")
    return tuple(row[field] for field in form.fields)


def _is_missing(label: object) -> bool:
    return label is None or (label == -1 and not isinstance(label, bool))


def _label(label: object, form: RowFormat, where: str) -> int:
    for place, known in enumerate(form.labels):
        if type(label) is type(known) and label == known:
            return place
    first, second = (json.dumps(known) for known in form.labels)
    raise UsageError(f"{where} has the label {json.dumps(label)[:40]}: write {first} or {second}")
