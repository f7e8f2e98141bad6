"""archive merge: every method once, in each cell the better elite, and what came from which run can be told."""

from __future__ import annotations

import json
import random
import shutil
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

from archives.archive import Archive
from archives.grid import Bins
from archives.maintenance.check import check
from archives.nouns import Elite
from evolve.cli import run
from fitness.tasks import load
from tests.support import example_run, hostile
from tests.support.example_run import add_experiment, add_model_call, build

VERBS = ("status", "top", "show", "diff", "lineage", "map", "failures", "costs")


_SEED = example_run._seed


def _the_same(archive: Archive, name: str, quality: float, rng: random.Random) -> example_run.Made:
    """Draw a baseline and its dev scores from its name, as in one vault."""
    return _SEED(archive, name, quality, random.Random(name))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs from the same seeds; the second has paid calls, a direction of its own, and what was under way."""
    folder = tmp_path_factory.mktemp("runs")
    with mock.patch.object(example_run, "_seed", _the_same):
        first, second = build(folder / "first.db", 30, 1), build(folder / "second.db", 40, 2)
    with closing(Archive.open(second, write=True)) as archive:
        add_model_call(archive, 101, archive.methods()[0].id, 0.5)
        add_experiment(archive, 101, archive.methods()[0].id)
        archive.set_proposal_state(101, "judging")
        archive.insert("directions", {"name": "mine", "text": "x", "focus": "[]", "origin": "m", "parent": "", "proposal": 101})
    return first, second


@pytest.fixture
def merged(runs: tuple[Path, Path], tmp_path: Path) -> Archive:
    before = [path.read_bytes() for path in runs]
    assert run(["archive", "merge", *map(str, runs), "--out", str(tmp_path / "both.db")]) == 0
    assert [path.read_bytes() for path in runs] == before, "the runs stay as they are"
    return Archive.open(tmp_path / "both.db")


def test_experiments_come_along_with_their_proposals(merged: Archive, runs: tuple[Path, Path]) -> None:
    [before], [after] = Archive.open(runs[1]).experiments(), merged.experiments()
    assert after.proposal > before.proposal
    assert (after.label, after.trials) == (before.label, before.trials)
    assert merged.rows("select operator from proposals where id = ?", [after.proposal]) == [{"operator": "rewrite"}]


def test_every_method_is_there_once(merged: Archive, runs: tuple[Path, Path]) -> None:
    sources = [{m.id: m.source for m in Archive.open(path).methods()} for path in runs]
    assert {m.id: m.source for m in merged.methods()} == sources[0] | sources[1]
    assert len(sources[0].keys() & sources[1].keys()) == len(example_run.SEEDS)
    twice = "select method from evaluations where split = 'dev' group by method having count(*) > 1"
    assert merged.rows(twice) == [], "a baseline of both was judged once"


def test_the_better_elite_of_each_cell_stays(merged: Archive, runs: tuple[Path, Path]) -> None:
    best: dict[tuple[int, int], float] = {}
    for path in runs:
        for elite in Archive.open(path).elites():
            best[elite.island, elite.cell] = max(elite.fitness, best.get((elite.island, elite.cell), -9.0))
    assert {(elite.island, elite.cell): elite.fitness for elite in merged.elites()} == best


def test_it_is_whole_and_every_verb_reads_it(merged: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(merged, Bins(load("embedded").measures)) == ()
    for verb in VERBS:
        assert run([verb, "--json", "--db", str(merged.path)]) == 0
        assert json.loads(capsys.readouterr().out)
    status = merged.run()
    assert (status.id, status.state, status.champion, status.verdict) == ("both", "finished", "", "")
    assert json.loads(status.config)["evals"] == 70


def test_what_came_from_which_run_can_be_told(merged: Archive, runs: tuple[Path, Path]) -> None:
    first, second = (Archive.open(path) for path in runs)
    ours, theirs = first.proposals(), second.proposals()
    shift = ours[-1].id
    found = merged.proposals()
    assert found[: len(ours)] == ours
    for one, other in zip(found[len(ours) :], theirs):
        assert (one.id, one.parents, one.method, one.idea) == (other.id + shift, other.parents, other.method, other.idea)
    texts = [str(row["text"]) for row in merged.rows("select text from events where kind = 'merge' order by id")]
    assert f"proposals {shift + 1} to {shift + 101} are its 1 to 101" in texts[1]
    assert "the run second of" in texts[1]
    notes = [str(row["text"]) for row in merged.rows("select text from events where kind = 'note'")]
    assert f"first: {first.run().verdict}" in notes
    assert merged.rows("select 1 from events where kind = 'verdict'") == []


def test_nothing_that_was_paid_or_seen_is_lost(merged: Archive, runs: tuple[Path, Path]) -> None:
    sources = [Archive.open(path) for path in runs]
    for table in ("spend", "looks", "probes", "proposals", "findings"):
        counts = [len(source.rows(f"select 1 from {table}")) for source in sources]
        assert len(merged.rows(f"select 1 from {table}")) == sum(counts), table
    assert merged.counted().usd == sum(source.counted().usd or 0 for source in sources) == 0.5
    shift = sources[0].proposals()[-1].id
    assert [call.proposal for call in merged.calls()] == [101 + shift]
    assert merged.rows("select proposal from directions where name = 'mine'") == [{"proposal": 101 + shift}]


def test_what_was_under_way_is_not_taken_up(merged: Archive) -> None:
    states = {record.state for record in merged.proposals()}
    assert states == {"done", "refused", "unanswered"}
    assert merged.proposals("state = 'unanswered'")[0].reason.startswith("it was under way")


def test_a_run_merged_with_its_own_copy_gains_no_method_and_no_baseline_twice(runs: tuple[Path, Path], tmp_path: Path) -> None:
    copy = Path(shutil.copy(runs[0], tmp_path / "copy.db"))
    assert run(["archive", "merge", str(runs[0]), str(copy), "--out", str(tmp_path / "twice.db")]) == 0
    one, two = Archive.open(runs[0]), Archive.open(tmp_path / "twice.db")
    assert two.methods() == one.methods()
    assert two.elites() == one.elites()
    free = "select method, domain, split from evaluations where proposal is null order by id"
    assert two.rows(free) == one.rows(free)
    assert check(two, Bins(load("embedded").measures)) == ()


def test_a_method_that_one_run_flagged_is_in_no_cell(runs: tuple[Path, Path], tmp_path: Path) -> None:
    for order in (1, -1):
        copies = [Path(shutil.copy(path, tmp_path / f"{path.stem}{order}.db")) for path in runs]
        with closing(Archive.open(copies[1], write=True)) as archive:
            lda = next(m.id for m in archive.methods() if m.name == "lda")
            archive.update("methods", "id", lda, {"flags": "swap"})
            with archive.transaction():
                archive._db.execute("delete from elites where method = ?", [lda])
        out = tmp_path / f"out{order}.db"
        with closing(Archive.open(copies[0], write=True)) as archive:
            shared = next(m.id for m in archive.methods() if m.name == "lda")
            archive.place(Elite(0, 95, shared, 0.1))
        assert run(["archive", "merge", *map(str, copies[::order]), "--out", str(out)]) == 0
        found = Archive.open(out)
        assert lda in found.flagged()
        assert lda not in {elite.method for elite in found.elites()}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("update runs set vault = 'another'", "its vault is another, not vault-3f"),
        ("update runs set task_version = '2'", "its task is embedded 2, not embedded 1-4f0c9a1e"),
        ("update runs set config = json_set(config, '$.domain', 'code')", "its search domain is code, not chat"),
        ("update runs set config = '['", "cannot be read"),
        ("delete from runs", "holds no run"),
    ],
)
def test_runs_whose_scores_mean_different_things_stay_apart(
    change: str, sentence: str, runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Path(shutil.copy(runs[1], tmp_path / "other.db"))
    hostile.script(other, change)
    assert run(["archive", "merge", str(runs[0]), str(other), "--out", str(tmp_path / "out.db")]) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1
    assert not [path for path in tmp_path.iterdir() if "out.db" in path.name], "nothing is left behind"


def test_bad_names_are_sentences(runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = map(str, runs)
    (tmp_path / "mine.db").write_text("precious")
    for arguments, sentence in (
        ([one, "--out", str(tmp_path / "out.db")], "name two or more runs"),
        ([one, one, "--out", str(tmp_path / "out.db")], "each once"),
        ([one, str(tmp_path / "none.db"), "--out", str(tmp_path / "out.db")], "there is no archive"),
        ([one, two, "--out", one, "--force"], "is the archive itself"),
        ([one, two, "--out", str(tmp_path / "mine.db")], "already exists"),
        ([one, two, "--out", str(tmp_path / "no" / "out.db")], "No such file"),
    ):
        assert run(["archive", "merge", *arguments]) == 2
        assert sentence in capsys.readouterr().err
    assert (tmp_path / "mine.db").read_text() == "precious"


@pytest.mark.parametrize("spoil", [hostile.names_and_ids, hostile.every_text, hostile.free_texts])
def test_a_strangers_archive_is_merged_or_refused_and_runs_nothing(
    spoil: object, runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Path(shutil.copy(runs[1], tmp_path / "other.db"))
    hostile.script(other, "pragma journal_mode = delete")
    spoil(other)  # type: ignore[operator]  # one of the three functions above
    hostile.script(other, hostile.VIEWS["triggers"])
    code = run(["archive", "merge", str(runs[0]), str(other), "--out", str(tmp_path / "out.db")])
    shown = capsys.readouterr()
    assert code in (0, 2)
    assert "\x1b" not in shown.out + shown.err
    assert (tmp_path / "out.db").exists() == (code == 0)
