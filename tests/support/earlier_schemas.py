"""Writes a small archive of every earlier schema into tests/archives/earlier, for the tests that open each.

python -m tests.support.earlier_schemas

The rows are those of an example run, as far as the schema has columns for them. Files that are there already stay: an earlier
schema's archive is kept as it was written.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from unittest import mock

from sqlite_utils import Database

from archives.archive import Archive
from archives.nouns import CallRecord, Look, Usage
from archives.schema.migrations import migrations
from fitness.nouns import Finding, Split, Trial, Verdict
from tests.support import example_run

FOLDER = Path(__file__).parents[1] / "archives" / "earlier"
_PAGE = 1024  # bytes: most tables hold a few rows
_TRIALS = example_run._trials
_SEEDS = {name: example_run.SEEDS[name] for name in ("vanilla", "lda")}


def names() -> list[str]:
    """Return the migrations but the last, oldest first: each stands for the schema it led to."""
    return _every()[:-1]


def _every() -> list[str]:
    return [migration.name for migration in migrations.pending(Database(memory=True))]


def tables(db: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the columns of the tables that hold a run."""
    found = db.execute("select name from sqlite_master where type = 'table' and name not glob '*_*' and name != 'README'")
    return {name: [row[1] for row in db.execute(f"pragma table_info({name})")] for (name,) in found.fetchall()}


def _fewer_trials(
    method: str, quality: float, split: Split, domain: str, instances: int, rng: random.Random
) -> tuple[Trial, ...]:
    return _TRIALS(method, quality, split, domain, instances if split is Split.DEV else 3, rng)


def _example(path: Path) -> None:
    """Write a small run of today's schema with rows in every table."""
    with mock.patch.object(example_run, "SEEDS", _SEEDS), mock.patch.object(example_run, "_trials", _fewer_trials):
        example_run.build(path, 4, seed=4)
    with closing(Archive.open(path, write=True)) as archive:
        parent = archive.methods()[0].id
        example_run.add_model_call(archive, 90, parent, 0.25)
        archive.add_calls([CallRecord(90, 2, "again", "it was cut short", Usage("openai:tiny", 1, 90, 30, None, 1.0))])
        archive.journal("select", 90)
        archive.look(Look("engine", parent, parent, "chat", Split.DEV, 10, "to choose parents"))
        found = Finding("shuffle", Verdict.PASSED, 0.01, 0.1, "as expected")
        archive.add_findings(parent, archive.trials(parent, Split.DEV, "chat")[0], [found])
        archive.insert("findings", {"title": "less is more", "text": "fewer epochs", "author": "someone", "at": "2026-03-02"})
        archive.insert("reviews", {"method": parent, "verdict": "approved", "reason": "read it", "reviewer": "someone"})


def write(example: Path, path: Path, last: str) -> None:
    """Write the archive that an evolve whose last migration was `last` would have."""
    with closing(sqlite3.connect(path, isolation_level=None)) as held:
        held.execute(f"pragma page_size = {_PAGE}")
        db = Database(held)
        every = _every()
        migrations.apply(db, stop_before=every[every.index(last) + 1])
        held.execute("attach ? as example", [str(example)])
        here, there = tables(held), {row[1] for row in held.execute("pragma example.table_list")}
        for name, columns in here.items():
            if name in there:
                given = {row[1] for row in held.execute(f"pragma example.table_info({name})")}
                both = ", ".join(column for column in columns if column in given)
                held.execute(f"insert into main.{name} ({both}) select {both} from example.{name}")
        held.execute("detach example")
        held.execute("vacuum")


def main() -> None:
    """Write the archives that are missing."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        example = Path(folder) / "example.db"
        _example(example)
        for name in names():
            path = FOLDER / f"{name[:4]}.db"
            if not path.exists():
                write(example, path, name)
                print(path.name, f"{path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
