"""Datasette itself opens a recorded run: every canned query answers with rows, and tables say what they are."""

from __future__ import annotations

import asyncio
import json
import lzma
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from archives.archive import Archive

datasette = pytest.importorskip("datasette.app", reason="needs datasette: pip install 'evolve-w2s[sql]'")
yaml = pytest.importorskip("yaml")  # datasette's own

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "docs" / "datasette"
QUERIES = yaml.safe_load((PLUGINS / "run.yaml").read_text())["queries"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "a run.db"
    path.write_bytes(lzma.decompress((ROOT / "tests" / "support" / "data" / "recorded.db.xz").read_bytes()))
    Archive.open(path).close()  # an older schema is brought up to date
    return path


def get(run: Path, *paths: str) -> list[Any]:
    """Return the JSON that Datasette answers to each path below the run."""

    async def ask() -> list[Any]:
        server = datasette.Datasette([str(run)], plugins_dir=str(PLUGINS))
        await server.invoke_startup()
        answers = [await server.client.get(f"/{server.urls.database(run.stem).strip('/')}{path}") for path in paths]
        assert [answer.status_code for answer in answers] == [200] * len(paths), [a.text[:300] for a in answers]
        return [answer.json() if ".json" in path else answer.text for path, answer in zip(paths, answers)]

    return asyncio.run(ask())


@pytest.mark.parametrize("name", QUERIES)
def test_every_canned_query_answers_with_rows(name: str, run: Path) -> None:
    params = "".join(f"&{param}=" for param in QUERIES[name].get("params", ()))
    (answer,) = get(run, f"/{name}.json?_shape=objects{params}")
    assert answer["rows"], answer
    assert not answer.get("error")


def test_a_lineage_ends_at_seeds(run: Path) -> None:
    archive = Archive.open(run)
    child = next(p for p in reversed(archive.proposals("state = 'done'")) if p.method)
    (answer,) = get(run, f"/lineage_of_a_method.json?_shape=objects&method={child.method[:12] if child.method else ''}")
    rows = answer["rows"]
    assert rows[0]["method"] == child.method
    assert {row["parent"] for row in rows if row["generation"] == 0} == set(child.parents)
    assert all(row["parent"] for row in rows if row["origin"] == "search")
    assert {row["origin"] for row in rows if row["parent"] is None} == {"seed"}


def test_pages_carry_the_descriptions_of_the_documentation(run: Path) -> None:
    home, board, proposals = get(run, "", "/leaderboard", "/proposals")
    assert "A run of evolve" in home
    assert [name for name in QUERIES if f"/{name}" not in home] == []
    assert "lower confidence bound of the PGR" in board
    assert "Every child from the moment it was chosen." in proposals
    assert "_sqlite_migrations" not in re.sub(r"<title>.*?</title>", "", home).split("hidden table")[0]


def test_every_table_that_is_sorted_or_faceted_has_those_columns(run: Path) -> None:
    archive = Archive.open(run)
    for table, more in yaml.safe_load((PLUGINS / "run.yaml").read_text())["tables"].items():
        columns = {row["name"] for row in archive.rows(f"select name from pragma_table_info('{table}')")}
        named = {more[key] for key in ("sort", "sort_desc", "label_column") if key in more} | set(more.get("facets", ()))
        assert named <= columns, table


def test_the_command_of_the_documentation_serves_a_run(run: Path) -> None:
    command = [sys.executable, "-m", "datasette", str(run), "--plugins-dir", "docs/datasette", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            address = next(found[0] for line in server.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            rows = json.loads(_read(f"{address}/a+run/best_per_cell.json?_shape=array"))
        finally:
            server.terminate()
    best = {elite.cell: 0.0 for elite in Archive.open(run).elites()}
    assert {row["cell"] for row in rows} == set(best)


def _read(address: str) -> bytes:
    for _ in range(50):
        try:
            with urllib.request.urlopen(address, timeout=20) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read()[:300]) from error
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")
