"""`top` as one asks for it, on an example archive and on terminals of 80 columns."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from rich.cells import cell_len

from archives.archive import Archive
from archives.nouns import MethodRecord, RunRecord
from evolve.errors import UsageError
from evolve.queries.filtering import ORDERS
from evolve.queries.leaderboard import ranking
from fitness.nouns import Evaluation, Score, Split, Status, Trial
from tests.evolve.cli.test_looking import CONTROLS, call, text_of
from tests.support.example_run import add_hostile, add_model_call, build
from tests.support.large import build as build_large

WIDE = "研究" * 60


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = build(tmp_path_factory.mktemp("runs") / "example.db", 60)
    archive = Archive.open(path, write=True)
    add_model_call(archive, 101, archive.methods()[0].id, 0.5)
    archive._db.execute("update methods set flags = 'canary' where id in (select id from methods order by id limit 3)")
    archive.close()
    return path


def top(run: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text_of("top", "-n", "1000", "--json", *arguments, db=run))
    return found


@pytest.mark.parametrize("by", ORDERS)
def test_top_sorts_by_every_column_and_back(by: str, run: Path) -> None:
    columns = {"dev": "pgr", "low": "pgr_low", "high": "pgr_high", "fresh": "fresh_pgr", "cost": "usd"}
    rows, back = top(run, "--by", by), top(run, "--by", by, "--reverse")
    assert {row["method"] for row in rows} == {row["method"] for row in back}
    if by == "newest":
        judged = [row["method"] for row in Archive.open(run).evaluations(Split.DEV) if row["status"] == "OK"]
        assert [row["method"] for row in rows] == judged[::-1]
        assert rows == back[::-1]
        return
    values = [row[columns.get(by, by)] for row in rows]
    known = [value for value in values if value is not None]
    assert values == sorted(known, reverse=by != "name") + [None] * (len(values) - len(known))
    assert [row[columns.get(by, by)] for row in back if row[columns.get(by, by)] is not None] == sorted(
        known, reverse=by == "name"
    )


def test_the_best_few_are_the_first_of_all_and_only_the_newest_evaluation_counts(tmp_path: Path) -> None:
    path = build(tmp_path / "run.db", 30)
    with closing(Archive.open(path, write=True)) as archive:
        best, second, third, *_ = [row.method for row in ranking(archive)]
        for method, status, fitness in ((best, "CRASHED", "null"), (third, "OK", "9.0")):  # judged again
            archive.execute(
                "insert into evaluations (method, domain, split, status, fitness, pgr, trials, measures, seconds, message) "
                f"values (?, 'chat', 'dev', ?, {fitness}, {fitness}, 0, '{{}}', 0, '')", [method, status],
            )  # fmt: skip
        every = ranking(archive)
        assert [row.method for row in every[:2]] == [third, second]
        assert best not in {row.method for row in every}
        assert [ranking(archive, few) for few in (1, 3, 7, 99)] == [every[:few] for few in (1, 3, 7, 99)]


def test_top_filters_by_what_methods_are_and_how_they_were_made(run: Path) -> None:
    archive, every = Archive.open(run), top(run)
    made = {proposal.method: proposal for proposal in archive.proposals("method is not null")}
    flagged = archive.flagged()
    assert {row["method"] for row in top(run, "--flagged")} == {row["method"] for row in every} & flagged
    assert {row["method"] for row in top(run, "--clean")} == {row["method"] for row in every} - flagged
    assert {row["name"] for row in top(run, "--origin", "seed")} == {row["name"] for row in every if row["origin"] == "seed"}
    for column in ("direction", "operator"):
        name = getattr(next(iter(made.values())), column)
        wanted = {row["method"] for row in every if row["method"] in made and getattr(made[row["method"]], column) == name}
        assert {row["method"] for row in top(run, f"--{column}", name)} == wanted
    held = {elite.method: elite.cell for elite in archive.elites() if elite.island == 1}
    assert {row["method"]: row["cell"] for row in top(run, "--island", "1")} == held
    assert {row["island"] for row in top(run, "--island", "1")} == {1}


def test_top_on_a_domain_shows_the_means_of_its_instances(run: Path) -> None:
    archive = Archive.open(run)
    rows = top(run, "--domain", "math")
    assert len(rows) == 2
    for row in rows:
        trials = archive.trials(row["method"], Split.FRESH, "math")
        assert row["fresh_pgr"] == pytest.approx(fmean(t.score.pgr for t in trials if t.score), abs=6e-4)
        assert row["pgr"] is None
    assert rows[0]["fresh_pgr"] >= rows[1]["fresh_pgr"]
    assert "PGR is the mean over instances of math" in text_of("top", "--domain", "math", db=run)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--direction", "nois as a channel"], "did you mean 'noise as a channel'"),
        (["--operator", "perturbe"], "did you mean 'perturb'"),
        (["--model", "openai:large"], "no model 'openai:large'"),
        (["--domain", "mat"], "did you mean 'math'"),
        (["--island", "9"], "no island '9': it has 0, 1, 2"),
    ],
)
def test_a_name_that_the_run_does_not_know(arguments: list[str], sentence: str, run: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        call("top", *arguments, db=run)


def test_a_mistyped_method_is_told_what_it_may_have_meant(run: Path) -> None:
    champion = Archive.open(run).run().champion
    with pytest.raises(UsageError, match=f"did you mean {champion[:12]}"):
        call("show", champion[:12] + "zz", db=run)
    with pytest.raises(UsageError, match="did you mean vanilla"):
        call("diff", "vanila", db=run)
    with pytest.raises(UsageError, match=r"fits \d+ methods \(.*: give more characters"):
        call("lineage", next(one.id[0] for one in Archive.open(run).methods()), db=run)


def on_a_terminal(*arguments: str) -> str:
    """Return what a command prints on a terminal of 80 columns."""
    leader, follower = pty.openpty()
    code = "import fcntl, struct, sys, termios; fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0));"
    code += "from evolve.cli import run; sys.exit(run(sys.argv[1:]))"
    env = {name: held for name, held in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")} | {"TERM": "xterm-256color"}
    with subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=follower, stderr=follower, env=env) as process:
        os.close(follower)
        found = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            found += part
    os.close(leader)
    assert process.returncode == 0, found.decode(errors="replace")
    return found.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("verb", ["status", "top", "show", "lineage", "map", "failures", "costs", "find", "diff"])
def test_wide_and_hostile_texts_fit_a_terminal_and_do_not_steer_it(verb: str, tmp_path: Path) -> None:
    path = build(tmp_path / "wide.db", 12, finished=False)
    archive = Archive.open(path, write=True)
    method = add_hostile(archive, 99, archive.methods()[0].id)
    for table, column in (("proposals", "idea"), ("proposals", "operator"), ("proposals", "model"), ("events", "text")):
        archive._db.execute(f"update {table} set {column} = ? || {column}", [WIDE])
    archive._db.execute("update methods set name = ? || name where id = ?", [WIDE, method])
    archive._db.execute("update evaluations set message = ? where status != 'OK'", [WIDE])
    archive.close()
    arguments = {"find": ["研究"], "show": [method], "diff": [method], "lineage": [method]}.get(verb, [])
    printed = on_a_terminal(verb, *arguments, "--db", str(path))
    assert "\x1b[" in printed
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed)
    assert not CONTROLS.search(plain)
    lines = [line for line in plain.splitlines() if line != str(path)]
    if verb != "diff":  # a diff is code, and keeps its lines
        assert max(map(cell_len, lines)) <= 80, [line for line in lines if cell_len(line) > 80]


def test_no_color_means_plain_text(run: Path) -> None:
    for verb in ("top", "show", "map", "lineage"):
        assert not CONTROLS.search(text_of(verb, db=run, NO_COLOR="1", FORCE_COLOR="1", TERM="xterm-256color")), verb


WRITER = """
import sys
from pathlib import Path
from archives.archive import Archive
from archives.nouns import MethodRecord, RunRecord
archive = Archive.open(Path(sys.argv[1]), write=True)
number = 0
while True:
    with archive.transaction():
        archive.event("note", f"event {number}")
        archive._db.execute("update proposals set reason = ? where id = 3", [f"reason {number}"])
    if number == 0:
        print("writing", flush=True)
    number += 1
"""


def test_every_verb_answers_while_another_process_writes(tmp_path: Path) -> None:
    path = build_large(tmp_path / "live.db", 120)
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        try:
            for verb in ("status", "top", "show", "diff", "lineage", "map", "failures", "costs"):
                assert json.loads(text_of(verb, "--json", db=path)), verb
            assert json.loads(text_of("find", "whiten", "--json", db=path))
        finally:
            writer.kill()


def test_the_front_over_search_domains_and_the_best_on_one_of_them(tmp_path: Path) -> None:
    path = tmp_path / "two.db"
    archive = Archive.create(path)
    archive.add_run(RunRecord("two", "now", "embedded", "1", "v", "{}", 0, "finished", "A", "0"))
    for name, pgrs, fitness in (("a", (0.9, 0.1), 0.4), ("b", (0.2, 0.8), 0.3), ("c", (0.1, 0.7), 0.2), ("d", (0.5, 0.5), 0.5)):
        archive.add_method(MethodRecord(name * 16, "pass", 9, name, "seed", "[]", (), ()))
        trials = tuple(
            Trial(name * 16, "embedded", domain, place, Split.DEV, Status.OK, Score(pgr, 0.01, 0.7, 0.6, 0.9, 100), {}, 0.1)
            for domain, pgr in zip(("chat", "code_deceptive"), pgrs)
            for place in (0, 1)
        )
        archive.add_evaluation(Evaluation(name * 16, trials, Status.OK, fitness), None, "chat+code_deceptive", Split.DEV, None)
    archive.close()
    assert [row["name"] for row in top(path, "--pareto")] == ["d", "a", "b"]
    assert top(path, "--pareto")[0]["pgrs"] == {"chat": 0.5, "code_deceptive": 0.5}
    assert [row["name"] for row in top(path, "--domain", "code_deceptive")] == ["b", "c", "d", "a"]
    assert [row["pgr"] for row in top(path, "--domain", "chat", "--by", "dev")] == [0.9, 0.5, 0.2, 0.1]
    printed = text_of("top", "--pareto", db=path)
    assert ".90 / .10" in printed
    assert "The front over chat / code_deceptive" in printed
