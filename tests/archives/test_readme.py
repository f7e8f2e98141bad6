"""The archive explains itself: a line for each table and view in the file, one for each column in docs/archive.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archives.archive import Archive

UNWRITTEN = ("findings", "reviews")  # tables that nothing writes to yet


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.create(tmp_path / "run.db")


def schema(archive: Archive) -> dict[str, list[str]]:
    """Return the columns of every table and view that is ours, without the shadow tables of full-text search."""
    rows = archive.rows("select name from sqlite_master where type in ('table', 'view') order by name")
    names = [str(row["name"]) for row in rows if not re.match(r"_|sqlite_|findings_", str(row["name"]))]
    columns = {name: archive.rows("select name from pragma_table_info(?)", [name]) for name in names}
    return {name: [str(row["name"]) for row in found] for name, found in columns.items()}


def documented(root: Path) -> dict[str, list[str]]:
    text = (root / "docs" / "archive.md").read_text(encoding="utf-8")
    parts = re.split(r"^### (\w+)$", text, flags=re.MULTILINE)[1:]
    return {name: re.findall(r"^- `(\w+)`: \S", body, re.MULTILINE) for name, body in zip(parts[::2], parts[1::2])}


def test_the_file_explains_every_table_and_view_in_a_line(archive: Archive) -> None:
    about = {str(row["name"]): str(row["about"]) for row in archive.rows("select name, about from README")}
    assert set(about) == set(schema(archive))
    assert all(line.endswith(".") and "\n" not in line and len(line) <= 125 for line in about.values())
    views = {str(row["name"]) for row in archive.rows("select name from sqlite_master where type = 'view'")}
    assert {name for name, line in about.items() if line.startswith("View: ")} == views
    assert next(iter(about)) == "leaderboard", "the views come first"


def test_every_column_is_explained_and_no_other(archive: Archive, root: Path) -> None:
    said, held = documented(root), {name: columns for name, columns in schema(archive).items() if name not in UNWRITTEN}
    assert set(said) == set(held)
    for name, columns in held.items():
        assert said[name] == columns, name
