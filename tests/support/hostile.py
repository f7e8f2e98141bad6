"""Archives from a stranger who means ill: an ordinary example run whose every column, view and trigger can be made hostile."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from archives.archive import Archive
from tests.support.example_run import add_experiment, add_model_call, build

STEERING = "\x1b]52;c;ZXZpbA==\x07\x1b]8;;http://evil/\x1b\\\x1b[2J\x1b[31m\x9b31m\u202e\u2066\r\x08\x7f\u200b\U000e0041\u3164\u2800\u00ad\ufe0f\u2060"
MARKUP = (
    "</p></script></style></title>--><script>document.title='PWNED'</script><img src=x onerror=\"document.title='PWNED'\">"
    "<svg onload=\"document.title='PWNED'\"><a href=\"javascript:document.title='PWNED'\">x</a>"
    "\" autofocus onfocus=\"document.title='PWNED'\" x='' onmouseover='document.title=1'|`&<!--"
)
PAYLOAD = f"{STEERING}{MARKUP}\n\u2028# import os"
VALUES: tuple[object, ...] = (
    None,
    b"\xff\xfe\x00",
    7,
    -(2**63),
    1e308,
    -9e999,
    "text",
    "",
    "9" * 400,
    "[" * 100_000,
    "{}",
    "[[1]]",
)
JSON = (
    *(
        ("runs", "config"),
        ("runs", "grid"),
        ("proposals", "parents"),
        ("methods", "constants"),
        ("evaluations", "measures"),
        ("trials", "measures"),
    ),
    *(("directions", "focus"), ("methods", "sketch")),
)
BROKEN = (
    "",
    "{",
    "[" * 100_000,
    '{"a": 1}',
    "null",
    "3",
    "[null, 1, {}]",
    '"x"',
    '{"size": "x"}',
    '{"size": 1e999}',
    f"[{'9' * 400}]",
)
FREE = {  # texts that steer nothing in the program
    *(("runs", c) for c in ("id", "created", "task_version", "vault", "state", "level", "evolve_version", "verdict", "system")),
    *(("methods", c) for c in ("name", "source", "flags", "structure", "created")),
    *(("proposals", c) for c in ("operator", "model", "prompt", "reply", "idea", "source", "reason", "created")),
    *(("evaluations", c) for c in ("message", "created")),
    *(("events", c) for c in ("at", "text")),
    *(("directions", c) for c in ("text", "origin", "focus")),
    *(("probes", c) for c in ("probe", "sentence", "at")),
    *(("spend", c) for c in ("model", "at")),
    ("trials", "message"),
}


def example(path: Path) -> Path:
    """Build an ordinary run with a paid call and findings."""
    build(path, 12)
    archive = Archive.open(path, write=True)
    method = archive.methods()[0].id
    add_model_call(archive, 99, method, 0.25)
    add_experiment(archive, 99, method)
    with archive.transaction():
        archive._db.execute(
            "insert into probes (method, domain, split, instance, probe, verdict, number, threshold, sentence) "
            "select id, 'chat', 'dev', 0, 'shuffle', 'FAILED', 0.5, 0.1, 'seen' from methods"
        )
    archive.close()
    script(path, "pragma wal_checkpoint(truncate); pragma journal_mode = delete;")
    return path


def columns(path: Path, kind: str = "") -> list[tuple[str, str]]:
    """Return every table's columns, of one declared type when it is given."""
    with closing(sqlite3.connect(path)) as db:
        tables = [
            n for (n,) in db.execute("select name from sqlite_master where type = 'table'") if not n.startswith(("sqlite", "_"))
        ]
        rows = [(t, name, declared) for t in tables for _, name, declared, *_ in db.execute(f"pragma table_info({t})")]
    return [(table, name) for table, name, declared in rows if not table.startswith("findings") and kind in ("", declared)]


def loosen(path: Path) -> None:
    """Make every table take any type, and no constraint hold nor trigger fire, as a file written by hand would."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma journal_mode = delete")
    views = db.execute("select name, sql from sqlite_master where type = 'view'").fetchall()
    for name, _ in views:
        db.execute(f"drop view {name}")
    for (name,) in db.execute("select name from sqlite_master where type = 'trigger'").fetchall():
        db.execute(f"drop trigger {name}")
    for (table,) in db.execute("select name from sqlite_master where type = 'table' and sql like '%strict%'").fetchall():
        db.execute(f"create table loose as select * from {table}")
        db.execute(f"drop table {table}")
        db.execute(f"alter table loose rename to {table}")
    for _, sql in views:
        db.execute(sql)
    db.close()


def put(path: Path, *changes: tuple[str, str, object]) -> None:
    """Set columns of every row to a value."""
    db = sqlite3.connect(path, isolation_level=None)
    for table, column, value in changes:
        db.execute(f"update {table} set {column} = ?", [value])
    db.close()


def script(path: Path, sql: str) -> None:
    """Run SQL on an archive."""
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(sql)
    db.close()


def free_texts(path: Path) -> None:
    """Put the payload into every text that steers nothing, each with its own place so that it can be told where it shows."""
    loosen(path)
    put(path, *((table, column, f"{table}.{column} {PAYLOAD}") for table, column in sorted(FREE)))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("update methods set source = source || rowid")  # each its own, so that there is a difference to show


def names_and_ids(path: Path) -> None:
    """Put the payload into names that hold tables together: methods' ids, directions, domains; joins still work."""
    loosen(path)
    db = sqlite3.connect(path, isolation_level=None)
    for table, column in columns(path):
        if (table, column) in {("runs", "champion"), ("runs", "human_best"), ("methods", "id")} or column in (
            "method",
            "lineage",
        ):
            db.execute(f"update {table} set {column} = ? || {column} where {column} != ''", [PAYLOAD])
        elif column == "direction" or (table, column) == ("directions", "name"):
            db.execute(f"update {table} set {column} = ? || {column}", [PAYLOAD])
        elif column in ("domain", "kind", "origin", "placement") and table != "methods":
            db.execute(f"update {table} set {column} = {column} || ?", [PAYLOAD])
    db.execute(
        "update proposals set parents = (select json_group_array(? || value) from json_each(proposals.parents))", [PAYLOAD]
    )
    db.close()


def every_text(path: Path) -> None:
    """Overwrite every text column."""
    texts = columns(path, "TEXT")
    loosen(path)
    put(path, *((table, column, PAYLOAD) for table, column in texts))


def one_by_one(path: Path, values: int) -> Iterator[tuple[str, str, object]]:
    """Yield every column with some of the values it must survive, others for each column."""
    for place, (table, column) in enumerate(columns(path)):
        for shift in range(values):
            yield table, column, VALUES[(place + 5 * shift) % len(VALUES)]


CYCLES = """
update proposals set parents = (select json_array(p.method, p.method) from proposals p
    where p.method is not null and p.id != proposals.id order by p.id desc limit 1);
update proposals set method = (select champion from runs) where id = (select max(id) from proposals where method is not null);
update proposals set parents = (select json_array(champion, champion) from runs) where id % 2;
"""
ENDLESS = "with recursive c(x) as (select 1 union all select x + 1 from c) select "
BOARD = (
    *(
        "method",
        "name",
        "origin",
        "fitness",
        "pgr",
        "pgr_low",
        "pgr_high",
        "fresh_pgr",
        "fresh_low",
        "fresh_high",
        "evaluations",
    ),
    *("usd", "flags", "island", "cell", "trials", "inflation"),
)


def board(expression: str, source: str = "") -> str:
    """Return SQL that puts a view of ours in the leaderboard's place, every column the same expression."""
    view = ", ".join(f"{expression} as {column}" for column in BOARD)
    return f"drop view leaderboard; create view leaderboard as {ENDLESS if source else 'select '}{view} {source}"


VIEWS = {
    "endless": board("x", "from c"),
    "endless text": board("printf('%.*c', 1000000, 'x')", "from c"),
    "too long": board("hex(zeroblob(900000000))"),
    "long": board("printf('%.*c', 1000000, 'x')"),
    "extension": board("load_extension('evil')"),
    "narrow": "drop view leaderboard; create view leaderboard as select 1 as method",
    "itself": "drop view leaderboard; create view leaderboard as select * from leaderboard",
    "table": "drop view leaderboard; create table leaderboard (method, name, origin)",
    "gone": "drop view leaderboard; drop view lineage; drop view failures; drop view cells; drop view costs",
    "blobs": "drop view costs; create view costs as select randomblob(9) as model, 'x' as calls, 1e400 as tokens_in, "
    "1 as tokens_out, 'y' as usd",
    "triggers": "create trigger t1 after update on runs begin delete from methods; end; "
    "create trigger t2 instead of insert on leaderboard begin delete from methods; end;",
    "runs": f"drop table runs; create view runs as {ENDLESS} x as id from c",
}
