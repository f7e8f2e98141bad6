from pathlib import Path

from archives.archive import Archive
from archives.grid import Bins
from archives.maintenance.check import check
from evolve.runs.checks import stored_config
from evolve.search.restore import state_of
from fitness.tasks import load
from tests.support.large import build


def test_a_large_archive_is_whole_and_can_be_read_for_a_resume(tmp_path: Path) -> None:
    archive = Archive.open(build(tmp_path / "large.db", 60))
    assert check(archive, Bins(load("embedded").measures)) == ()
    state = state_of(archive)
    assert len(state.methods) == 60
    assert state.methods[state.best].origin == "search"
    assert stored_config(archive).evals == 160
    assert {elite.island for elite in archive.elites()} == {0, 1, 2}
