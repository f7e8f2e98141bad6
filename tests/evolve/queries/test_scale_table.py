"""What the scale check says of a run: whether the champion's gain holds at the largest size, or why that cannot be told."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from archives.archive import Archive
from evolve.queries.scale_table import ScaleTable, scale_table
from fitness.nouns import Evaluation, Score, Split, Status, Trial
from fitness.pgr import interval
from tests.support.example_run import build

WAVERING = (0.30, 0.34, 0.27, 0.36, 0.31, 0.29)


@pytest.fixture(scope="module")
def run_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("example") / "run.db"
    build(path, 10)
    return path


@pytest.fixture
def archive(run_path: Path, tmp_path: Path) -> Archive:
    copy = tmp_path / "run.db"
    copy.write_bytes(run_path.read_bytes())
    return Archive.open(copy, write=True)


def judged(archive: Archive, method: str, size: str, pgrs: Sequence[float], status: Status = Status.OK) -> None:
    """Store a method's trials on a size; a failed one has no scores."""
    scores = [Score(pgr, 0.02, 0.6 + 0.3 * pgr, 0.6, 0.9, 1000) if status is Status.OK else None for pgr in pgrs]
    trials = tuple(Trial(method, "scale", size, i, Split.SCALE, status, score) for i, score in enumerate(scores))
    kept = [score for score in scores if score]
    archive.add_evaluation(Evaluation(method, trials, status, None), None, size, Split.SCALE, interval(kept) if kept else None)


def checked(archive: Archive, gains: dict[str, Sequence[float]], failed: str = "") -> ScaleTable | None:
    """Return the table of a champion that gains so much over the human best on each size; `failed`: a size where it crashed."""
    with contextlib.closing(archive):
        run = archive.run()
        for size, gain in gains.items():
            human = WAVERING[: len(gain)]
            ours = [one + more for one, more in zip(human, gain)]
            judged(archive, run.champion, size, ours, Status.CRASHED if size == failed else Status.OK)
            judged(archive, run.human_best, size, human)
        return scale_table(archive)


UP, LEVEL, DOWN = (
    [0.2, 0.22, 0.18, 0.21, 0.19, 0.2],
    [0.1, -0.1, 0.02, 0.09, -0.12, 0.0],
    [-0.2, -0.18, -0.22, -0.2, -0.19, -0.21],
)


@pytest.mark.parametrize(
    ("gains", "holds", "said"),
    [
        ({"1m": UP, "5m": UP}, True, "the gain over the human best holds at 5m, the largest of 2 sizes: PGR +0.20"),
        ({"1m": UP, "5m": LEVEL}, False, "not shown at 5m, the largest of 2 sizes"),
        ({"1m": UP, "5m": DOWN}, False, "which lies below 0"),
        ({"1m": DOWN, "5m": UP}, True, "holds at 5m"),
        ({"1m": UP[:2], "5m": UP[:2]}, False, "too few for an interval"),
        ({"1m": UP}, True, "holds at 1m, the only size that is here"),
    ],
)
def test_the_largest_size_decides(archive: Archive, gains: dict[str, Sequence[float]], holds: bool, said: str) -> None:
    table = checked(archive, gains)
    assert table is not None
    assert table.holds is holds
    assert said in table.sentence
    assert [line.size for line in table.lines] == list(gains)


def test_a_failure_is_told_as_one_and_is_no_number(archive: Archive) -> None:
    table = checked(archive, {"1m": UP, "5m": UP}, failed="5m")
    assert table is not None
    assert (table.holds, table.lines[1].difference, table.lines[1].champion.pgr) == (None, None, None)
    assert "cannot be told at 5m" in table.sentence
    assert "the champion CRASHED" in table.sentence


def test_a_run_that_was_not_asked_for_it_has_none(archive: Archive) -> None:
    assert checked(archive, {}) is None


def test_another_champion_than_the_one_that_was_checked_has_none(archive: Archive) -> None:
    run = archive.run()
    judged(archive, run.champion, "1m", WAVERING)
    judged(archive, run.human_best, "1m", WAVERING)
    with archive.transaction():
        archive.update_run(champion=next(m.id for m in archive.methods() if m.id not in (run.champion, run.human_best)))
    with contextlib.closing(archive):
        assert scale_table(archive) is None
