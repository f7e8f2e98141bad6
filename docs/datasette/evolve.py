"""A Datasette plugin: canned queries, descriptions, sort orders and facets for every run that Datasette opens.

A run may have any name, and Datasette's metadata goes by the name of a file: so this is a plugin. The descriptions are those of
docs/archive.md.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from datasette import hookimpl

HERE = Path(__file__).parent
OURS = {"runs", "methods", "proposals", "evaluations", "elites", "_sqlite_migrations"}
_runs: set[str] = set()


@hookimpl
def startup(datasette: Any) -> Any:
    """Note which of the databases are runs."""

    async def look() -> None:
        for name, database in datasette.databases.items():
            if set(await database.table_names()) >= OURS:
                _runs.add(name)

    return look


@hookimpl
def get_metadata(datasette: Any) -> dict[str, object]:
    """Return what Datasette is to say of each run."""
    return {"databases": dict.fromkeys(_runs, _RUN)}


def described(text: str) -> dict[str, dict[str, Any]]:
    """Return the description and the columns of each table and view, by name, as docs/archive.md has them."""
    found = {}
    for name, section in re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL):
        columns = dict(re.findall(r"^- `(\w+)`: (.*)$", section, re.MULTILINE))
        found[name] = {"description": section.partition("\n\n")[0].replace("\n", " ").strip(), "columns": columns}
    return found


def _run() -> dict[str, Any]:
    own = yaml.safe_load((HERE / "run.yaml").read_text())
    tables = described((HERE.parent / "archive.md").read_text())
    for name, more in own["tables"].items():
        tables[name] = tables.get(name, {}) | more
    return own | {"tables": tables}


_RUN = _run()
