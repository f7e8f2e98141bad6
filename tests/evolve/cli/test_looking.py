"""The verbs that look at a run, on an example archive: what they print, as text and as JSON."""

from __future__ import annotations

import ast
import fcntl
import json
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archives.archive import Archive
from evolve.cli import cli
from evolve.errors import UsageError
from evolve.queries.leaderboard import ranking
from evolve.queries.status import run_status
from evolve.runs.process import is_running
from evolve.text import clean, one_line, short
from fitness.nouns import Direction
from tests.support.example_run import DIRECTIONS, SEEDS, add_hostile, add_model_call, build

VERBS = ("status", "top", "show", "diff", "lineage", "map", "failures", "costs")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("runs") / "example.db", 60)


def call(*arguments: str, db: Path, **env: str) -> Result:
    result = CliRunner().invoke(cli, [*arguments, "--db", str(db)], env={"COLUMNS": "80", **env})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def text_of(*arguments: str, db: Path, **env: str) -> str:
    result = call(*arguments, db=db, **env)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("verb", VERBS)
def test_plain_output_has_no_colour_codes(verb: str, run: Path) -> None:
    assert not CONTROLS.search(text_of(verb, db=run))


@pytest.mark.parametrize("verb", ["status", "top", "lineage", "map", "failures", "costs"])
def test_output_fits_80_columns(verb: str, run: Path) -> None:
    lines = text_of(verb, db=run).splitlines()
    assert max(len(line) for line in lines if line != str(run)) <= 80


def test_show_fits_80_columns_before_the_source(run: Path) -> None:
    output = text_of("show", db=run)
    before = output.partition('"""A child of the example')[0]
    assert before != output
    assert max(len(line) for line in before.splitlines()) <= 80


@pytest.mark.parametrize("verb", VERBS)
def test_colour_on_a_terminal_only(verb: str, run: Path) -> None:
    assert "\x1b[" in text_of(verb, db=run, FORCE_COLOR="1", TERM="xterm-256color")


@pytest.mark.parametrize("verb", VERBS)
def test_json_is_json(verb: str, run: Path) -> None:
    assert json.loads(text_of(verb, "--json", db=run))


def test_status_counts_what_the_archive_holds(run: Path) -> None:
    found = json.loads(text_of("status", "--json", db=run))
    archive = Archive.open(run)
    kinds = {record.id: record.origin for record in archive.methods()}
    bred = [row for row in archive.evaluations() if row["split"] == "dev" and kinds[str(row["method"])] == "search"]
    assert found["evaluations"] == len(bred)
    assert found["failed"] == sum(row["status"] != "OK" for row in bred)
    assert found["refused"] == len(archive.proposals("state = 'refused'")) > 0
    assert found["methods"] == len(kinds)
    assert {"run", "db", "state", "evaluations", "budget", "spent", "best", "human_best", "seconds", "engine_seconds"} <= set(
        found
    )
    assert found["db"] == str(run)
    assert found["budget"]["evals"] == 60
    assert found["best"]["method"] == archive.run().champion
    assert found["human_best"]["name"] == "lda"
    assert found["recent"]["entropy"] <= found["recent"]["entropy_max"]
    assert {tally["name"] for tally in found["recent"]["directions"]} <= set(DIRECTIONS)
    assert sum(island["elites"] for island in found["islands"]) == len(archive.elites())


def test_status_tells_entropy_over_time_arms_and_directions(tmp_path: Path) -> None:
    path = build(tmp_path / "models.db", 60)
    archive = Archive.open(path, write=True)
    parent = archive.methods()[0].id
    for number, usd in ((101, 0.5), (102, 0.25)):
        add_model_call(archive, number, parent, usd)
    archive._db.execute("update proposals set gain = 0.3 where id = 101")
    mine = ("a direction of its own, and a name that goes on and on", "openai:tiny")
    archive.add_direction(Direction(mine[0], "Think again.", (), mine[1], "two views"))
    found, text = json.loads(text_of("status", "--json", db=path)), text_of("status", db=path)
    assert found["entropy"] == json.loads(text_of("report", "--format", "json", "--out", "-", db=path))["spreads"]
    assert [point["proposal"] for point in found["entropy"]] == sorted(point["proposal"] for point in found["entropy"])
    assert 0 < found["entropy"][-1]["entropy"] <= found["recent"]["entropy_max"]
    ended = len(archive.proposals("state in ('done', 'refused')"))
    assert sum(arm["tried"] for arm in found["arms"]) == sum(line["tried"] for line in found["directions"]) == ended
    (arm,) = (arm for arm in found["arms"] if arm["model"])
    assert (arm["operator"], arm["island"], arm["tried"], arm["gain"], arm["usd"]) == ("rewrite", 0, 2, 0.3, 0.75)
    assert {line["name"] for line in found["directions"]} == {*DIRECTIONS, mine[0]}
    assert "first third" in text
    assert "An arm is drawn the more often" in " ".join(text.split())
    assert re.search(r"rewrite +openai:tiny +2 +0 +\.30 +\$0\.75 +0\.4\n", text)
    assert re.search(r"a direction of its own, and a n… +0 +0 +openai:tiny, from two views\n", text)
    assert max(len(line) for line in text.splitlines() if line != str(path)) <= 80


def test_an_unknown_price_is_unknown_in_the_arms(tmp_path: Path) -> None:
    path = build(tmp_path / "unpriced.db", 5)
    archive = Archive.open(path, write=True)
    for number, usd in ((101, 0.5), (102, None)):
        add_model_call(archive, number, archive.methods()[0].id, usd)
    (arm,) = (arm for arm in json.loads(text_of("status", "--json", db=path))["arms"] if arm["model"])
    assert (arm["calls"], arm["usd"]) == (2, None)
    assert re.search(r"rewrite +openai:tiny +2 +0 +\.00 +unknown +unknown\n", text_of("status", db=path))


def test_a_run_whose_process_is_gone_is_interrupted(tmp_path: Path) -> None:
    path = build(tmp_path / "cut.db", 5, finished=False)
    assert not is_running(path)
    assert json.loads(text_of("status", "--json", db=path))["state"] == "interrupted"
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_running(path)
        assert json.loads(text_of("status", "--json", db=path))["state"] == "running"
    assert not is_running(path)


def test_verbs_work_while_a_writer_is_in_the_middle(tmp_path: Path) -> None:
    path = build(tmp_path / "live.db", 10, finished=False)
    writer = Archive.open(path, write=True)
    with writer.transaction():
        writer.event("note", "not yet committed")
        for verb in VERBS:
            assert "not yet committed" not in text_of(verb, db=path)
    writer.close()
    assert "not yet committed" in text_of("status", db=path)


def test_the_price_of_a_call_is_unknown_when_one_is(tmp_path: Path) -> None:
    path = build(tmp_path / "paid.db", 5)
    archive = Archive.open(path, write=True)
    seed = archive.methods()[0].id
    add_model_call(archive, 101, seed, 0.25)
    assert run_status(archive, alive=False).spent.usd == pytest.approx(0.25)
    add_model_call(archive, 102, seed, None)
    assert run_status(archive, alive=False).spent.usd is None
    assert "unknown" in text_of("status", db=path)


def test_top_is_the_leaderboard(run: Path) -> None:
    rows = json.loads(text_of("top", "-n", "7", "--json", db=run))
    wanted = Archive.open(run).rows("select method, fitness, fresh_pgr from leaderboard limit 7")
    assert [(r["method"], r["fitness"], r["fresh_pgr"]) for r in rows] == [tuple(r.values()) for r in wanted]
    whole = Archive.open(run).rows("select * from leaderboard")
    shared = set(whole[0]) & set(asdict(ranking(Archive.open(run))[0]))
    assert shared == set(whole[0])
    for row, line in zip(ranking(Archive.open(run)), whole, strict=True):
        assert {name: asdict(row)[name] for name in shared} == dict(line)
    output = text_of("top", "-n", "7", db=run)
    assert [line.split()[1] for line in output.splitlines()[1:8]] == [short(row["method"]) for row in rows]
    assert "Best of 52 methods tried" in output.splitlines()[-1], "selection among many flatters the best"


def test_show_has_source_scores_and_prompt(run: Path) -> None:
    archive = Archive.open(run)
    champion = archive.run().champion
    facts = json.loads(text_of("show", champion[:10], "--json", db=run))
    assert {(e["split"], e["domain"], len(e["trials"])) for e in facts["evaluations"]} == {
        ("dev", "chat", 10), ("fresh", "chat", 20), ("fresh", "math", 5), ("fresh", "code", 5), ("fresh", "digits", 5),
    }  # fmt: skip
    output = text_of("show", champion[:10], db=run)
    assert facts["source"].rstrip() in output
    assert "Direction:" not in output
    assert facts["birth"]["prompt"] in text_of("show", champion[:10], "--prompt", db=run)
    assert text_of("show", "lda", db=run).startswith("lda  seed")


def test_diff_turns_the_first_parent_into_the_child(run: Path) -> None:
    archive = Archive.open(run)
    sources = {record.id: record.source for record in archive.methods()}
    for proposal in archive.proposals("state = 'done'")[:10]:
        assert proposal.method is not None
        lines = text_of("diff", proposal.method, db=run).splitlines()
        assert apply(sources[proposal.parents[0]].splitlines(), lines) == sources[proposal.method].splitlines()


def apply(source: list[str], diff: list[str]) -> list[str]:
    """Apply a unified diff."""
    result: list[str] = []
    at = 0
    for line in diff[2:]:
        if line.startswith("@@"):
            start = int(re.findall(r"-(\d+)", line)[0]) - 1
            result += source[at:start]
            at = start
            continue
        if line[:1] in (" ", "-"):
            assert source[at] == line[1:]
            at += 1
        if line[:1] in (" ", "+"):
            result.append(line[1:])
    return result + source[at:]


def test_diff_takes_a_prefix_and_a_seeds_name(run: Path) -> None:
    child = Archive.open(run).run().champion
    assert text_of("diff", child[:9], "vanilla", db=run).startswith("--- vanilla.py\n+++ ")
    assert "same source" in text_of("diff", "lda", "lda", db=run)
    with pytest.raises(UsageError, match="no parent"):
        call("diff", "lda", db=run)


def test_lineage_prints_every_ancestor_once(run: Path) -> None:
    archive = Archive.open(run)
    parents = {record.method: record.parents for record in archive.proposals("state = 'done'")}
    names = {record.id: record.name or short(record.id) for record in archive.methods()}
    for root in [record.method for record in archive.proposals("state = 'done'")][-15:]:
        assert root is not None
        ancestry, queue = set(), [root]
        while queue:
            one = queue.pop()
            if one not in ancestry:
                ancestry.add(one)
                queue += parents.get(one, ())
        printed = re.findall(r"● (\S+)", text_of("lineage", root, db=run))
        assert sorted(printed) == sorted(names[one] for one in ancestry)


def test_map_shows_every_elite_of_an_island_and_the_best_of_all(run: Path) -> None:
    archive = Archive.open(run)
    elites = archive.elites()
    whole, *islands = json.loads(text_of("map", "--json", db=run))
    best = {cell: max(e.fitness for e in elites if e.cell == cell) for cell in {e.cell for e in elites}}
    assert sorted(square["fitness"] for square in whole["squares"]) == sorted(best.values())
    for heat in islands:
        mine = [e.fitness for e in elites if e.island == heat["island"]]
        assert sorted(square["fitness"] for square in heat["squares"]) == sorted(mine)
    one = text_of("map", "--island", "1", db=run)
    assert one.startswith(f"Island 1: {len([e for e in elites if e.island == 1])} of ")
    assert "All islands" not in one
    with pytest.raises(UsageError, match="island 9"):
        call("map", "--island", "9", db=run)


def test_untrusted_text_never_steers_the_terminal(tmp_path: Path) -> None:
    path = build(tmp_path / "hostile.db", 5, finished=False)
    archive = Archive.open(path, write=True)
    method = add_hostile(archive, 99, archive.methods()[0].id)
    archive.close()
    for arguments in (["status"], ["top"], ["show", method, "--prompt"], ["diff", method], ["lineage", method], ["map"]):
        assert not CONTROLS.search(text_of(*arguments, db=path)), arguments
        coloured = text_of(*arguments, db=path, FORCE_COLOR="1", TERM="xterm-256color")
        assert not CONTROLS.search(re.sub(r"\x1b\[[0-9;]*m", "", coloured)), arguments
        assert "\x1b[31mred" not in coloured


def test_clean_keeps_ordinary_text() -> None:
    text = "naïve π ≤ 1\n\tindented — “quoted” 漢字"
    assert clean(text) == text
    assert one_line("a\n  b\r\nc") == "a b c"
    assert one_line("abcdef", 4) == "abc…"
    assert clean("\x1b[2J\x9b\u202e\ud800") == r"␛[2J\x9b\u202e\ud800"


def test_verbs_on_a_run_without_methods(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    build(path, 0, finished=False)
    archive = Archive.open(path, write=True)
    with archive.transaction():
        for name in ("elites", "trials", "evaluations", "events", "methods"):
            archive._db.execute(f"delete from {name}")
    archive.close()
    assert "evaluations  0" in text_of("status", db=path)
    assert "Nothing has been judged" in text_of("top", db=path)
    assert "0 of" in text_of("map", db=path)
    with pytest.raises(UsageError, match="nothing has been judged"):
        call("show", db=path)


def test_looking_never_loads_torch() -> None:
    names = "cli.verbs.inspect cli.verbs.report cli.show.run report.html.page report.export queries.method queries.heat_maps"
    code = f"import sys, {', '.join(f'evolve.{name}' for name in names.split())}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    assert not {"torch", "sklearn", "scipy.stats", "optuna", "sqlite_utils"} & set(done.stdout.split())


def test_the_example_is_what_it_says(run: Path) -> None:
    archive = Archive.open(run)
    records = archive.methods()
    assert {record.name for record in records if record.origin == "seed"} == set(SEEDS)
    for record in records:
        ast.parse(record.source)


def test_status_says_what_a_running_search_is_busy_with_and_its_last_events_are_others(tmp_path: Path) -> None:
    path = build(tmp_path / "run.db", 20, finished=False)
    archive = Archive.open(path, write=True)
    archive.event("phase", "judging finalists and baselines on fresh instances of chat", None, None, 40.0)
    archive.event("progress", "judging finalists and baselines on fresh instances of chat, 3 of 18", None, None, 33.0)
    now = run_status(archive, alive=True)
    assert now.phase.endswith("3 of 18")
    assert now.left == pytest.approx(33.0, abs=5.0)
    assert not {event.kind for event in now.events} & {"phase", "progress"}
    assert run_status(archive, alive=False).phase == ""


def test_made_by_is_the_operator_with_its_model_or_where_a_method_came_from(run: Path) -> None:
    rows = {row.label: row for row in ranking(Archive.open(run))}
    assert rows["lda"].made_by == "seed"
    bred = next(row for row in rows.values() if row.operator)
    assert bred.made_by == bred.operator + (f" with {bred.model}" if bred.model else "")
    top, markdown = text_of("top", db=run, COLUMNS="200"), text_of("report", "--format", "md", "--out", "-", db=run)
    assert all("made by" in text and "inflation" in top for text in (top, markdown))


def test_nothing_filters_by_an_origin_that_no_method_has(run: Path) -> None:
    assert call("top", "--origin", "agent", db=run).exit_code == 2
