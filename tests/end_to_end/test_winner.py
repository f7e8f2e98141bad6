"""The winner's curse: the best of 100 methods of one quality looks better than it is, and the program says by how much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

import pytest

from archives.archive import Archive
from evolve.cli.show import ending
from evolve.config import resolve
from tests.support.simulated import PGR, Found, covers, search, summary

METHODS = 100
ENOUGH = 0.8  # share of fresh intervals that must hold the truth: 40 of 50, where 45 are expected
MANY = pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])


@pytest.fixture(scope="module", params=[5, MANY], ids="{} searches".format)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Found]:
    """What independent searches found, each with a vault of its own."""
    return [search(tmp_path_factory.mktemp("search"), seed, METHODS) for seed in range(request.param)]


def test_the_champions_fresh_interval_contains_the_truth(found: Sequence[Found], tell: Callable[[str], None]) -> None:
    for line in summary(found).splitlines():
        tell(line)
    assert sum(covers(one.fresh) for one in found) >= ENOUGH * len(found)


def test_its_dev_interval_would_not_pass_the_same_test(found: Sequence[Found]) -> None:
    held = sum(covers(one.dev) for one in found)
    assert held < ENOUGH * len(found)
    assert held <= len(found) / 2, "selection alone puts the champion's dev score beyond its interval"


def test_selection_inflates_the_champions_dev_score_and_no_other(found: Sequence[Found]) -> None:
    assert fmean(one.unselected for one in found) == pytest.approx(PGR, abs=0.03)
    assert fmean(one.fresh.mean for one in found) == pytest.approx(PGR, abs=0.03)
    assert 0.05 < fmean(one.dev.mean - PGR for one in found) < 0.2


def test_a_champion_no_better_than_the_baselines_is_seldom_shown_to_be(found: Sequence[Found]) -> None:
    shown = sum(one.ending.result is not None and one.ending.result.shown for one in found)
    assert shown <= 0.15 * len(found), "a one-sided 95 % bound"


def test_the_run_shows_the_inflation(found: Sequence[Found], capsys: pytest.CaptureFixture[str]) -> None:
    one = found[0]
    ending.say_end(one.ending, resolve(), ending.write(one.ending), as_json=False)
    shown = " ".join(capsys.readouterr().out.split())
    assert f"inflation {one.inflation:+.2f}: dev {one.dev.mean:.2f} minus fresh {one.fresh.mean:.2f}" in shown


def test_the_archive_keeps_the_inflation_beside_the_score(found: Sequence[Found]) -> None:
    for one in found:
        archive = Archive.open(one.ending.path)
        run, board = archive.run(), archive.rows("select * from leaderboard where origin = 'search' and flags = ''")
        archive.close()
        champion = board[0]
        assert champion["method"] == run.champion, "the fittest on dev, whatever it then scored"
        assert champion["inflation"] == pytest.approx(one.inflation, abs=1e-3)
        assert run.inflation == pytest.approx(one.inflation)
        assert run.tried == METHODS


def test_the_same_seed_finds_the_same(tmp_path: Path) -> None:
    first, again = (search(tmp_path / name, 3, methods=6) for name in ("first", "again"))
    assert (first.dev, first.fresh, first.unselected) == (again.dev, again.fresh, again.unselected)
