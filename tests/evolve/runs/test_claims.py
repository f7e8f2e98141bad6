"""The name of a new run: one start alone can have it, a taken one is told at once, a start that fails leaves nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from archives.archive import Archive
from evolve import files
from evolve.cli import run
from evolve.errors import EvolveError, UsageError
from evolve.runs.find import find_run, is_prepared
from evolve.runs.process import claimed, only_writer
from evolve.runs.seeds import collect
from fitness.tasks.task import SEEDS
from tests.support.example_run import build

STARTS = 6


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_starts_in_one_second_each_have_a_name_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [Path("runs/now.db"), *(Path(f"runs/now-{number}.db") for number in range(2, 30))]
    monkeypatch.setattr("evolve.runs.process.new_names", lambda: iter(names))
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "now.db").symlink_to("nowhere")  # a dangling link has its name, too
    (tmp_path / "runs" / "now-2.db.lock").write_text("a file of the user's")
    found, all_there, errors = list[Path](), threading.Barrier(STARTS), list[BaseException]()

    def begin() -> None:
        try:
            all_there.wait(20)
            with claimed(None) as path:
                found.append(path)
                all_there.wait(20)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=begin) for _ in range(STARTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(set(found)) == STARTS
    assert not set(found) & set(names[:2])


def test_names_of_one_second_differ() -> None:
    names = files.new_names()
    assert len({next(names) for _ in range(50)}) == 50


@pytest.mark.thorough
@pytest.mark.parametrize("what", ["an archive", "a dangling link", "a folder", "a pipe", "a text", "an empty file"])
def test_a_name_that_is_taken_is_told_before_anything_heavy_is_imported(what: str, tmp_path: Path, root: Path) -> None:
    path = tmp_path / "taken.db"
    if what == "an archive":
        build(path, 2)
    elif what == "a dangling link":
        path.symlink_to(tmp_path / "gone")
    elif what == "a folder":
        path.mkdir()
    elif what == "a pipe":
        os.mkfifo(path)
    else:
        path.write_text("mine" if what == "a text" else "")
    code = (
        "import sys; from evolve.cli import run; code = run(sys.argv[1:]); "
        "print({'torch', 'libcst', 'sklearn'} & set(sys.modules)); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, "start", "--db", str(path)], cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (2, "set()")
    assert "already exists" in done.stderr
    assert os.path.lexists(path)
    assert not Path(f"{path}.lock").exists()


@pytest.mark.parametrize("name", ["old.db-wal", "old.db.lock", "old.db-journal"])
def test_a_run_takes_no_name_that_belongs_to_another_archive(name: str, tmp_path: Path) -> None:
    build(tmp_path / "old.db", 2)
    with pytest.raises(EvolveError, match="belongs to the archive"), claimed(tmp_path / name):
        pass


@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal", ".lock"])
def test_what_lies_where_a_new_archive_would_keep_its_files_is_not_touched(end: str, tmp_path: Path) -> None:
    mine = tmp_path / f"new.db{end}"
    mine.write_text("mine")
    with pytest.raises(EvolveError, match=f"new.db{end}"), claimed(tmp_path / "new.db"):
        pass
    assert mine.read_text() == "mine"


def test_a_claim_leaves_nothing_behind(tmp_path: Path) -> None:
    with claimed(tmp_path / "a" / "b" / "run.db") as path:
        assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700
    assert list(tmp_path.iterdir()) == []


def test_an_archive_in_which_no_run_has_begun_blocks_no_name(tmp_path: Path) -> None:
    Archive.create(tmp_path / "cut.db").close()  # what a start leaves that is killed before its first record
    with claimed(tmp_path / "cut.db") as path:
        Archive.create(path).close()


@pytest.mark.parametrize("words", [["--seed", str(2**63)], ["--set", f"tokens={2**64}"], ["--set", "reply_tokens=1e30"],
                                   ["--set", f"max_calls={10**30}"]])  # fmt: skip
def test_a_number_that_no_archive_holds_is_refused_before_work_begins(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["start", "--db", str(tmp_path / "run.db"), *words]) == 2
    assert "cannot be used" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_name_or_a_setting_that_is_not_utf_8_is_refused_before_work_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["start", "--db", f"{tmp_path}/\udcff.db"]) == 2
    assert run(["start", "--db", f"{tmp_path}/run.db", "--seeds", "\udcff.py"]) == 2
    assert [line.count("UTF-8") > 0 for line in capsys.readouterr().err.splitlines()] == [True, True]
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_has_no_archive_yet_is_being_prepared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(tmp_path / "runs" / "before.db", 2)
    path = Path("runs/now.db")
    with only_writer(path):
        assert is_prepared(path)
        for words in (["status"], ["top", "--db", "runs/now.db"]):
            assert run(words) == 2
            assert "now.db is being prepared" in capsys.readouterr().err
    assert find_run(None) == Path("runs/before.db")


def test_a_seed_that_is_named_again_counts_once(tmp_path: Path) -> None:
    ours = [seed.name for seed in collect()]
    assert [seed.name for seed in collect([SEEDS])] == ours
    assert [seed.name for seed in collect([SEEDS / "lda.py", SEEDS, SEEDS / "lda.py"])] == ours
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / "lda.py").write_bytes((SEEDS / "lda.py").read_bytes())
    (tmp_path / "copies" / "__init__.py").touch()
    (tmp_path / "linked").symlink_to(SEEDS)
    assert [seed.name for seed in collect([tmp_path / "copies", tmp_path / "linked"])] == ours
    (tmp_path / "copies" / "lda.py").write_text("def method(problem):\n    return problem.weak[:, 1]\n")
    with pytest.raises(UsageError, match="two seeds are named lda"):
        collect([tmp_path / "copies"])
