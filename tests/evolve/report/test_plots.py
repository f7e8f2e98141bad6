"""`report --format png`: the plots of a run, of a run that did not get far, of hostile names."""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archives.archive import Archive
from evolve.cli import cli
from evolve.queries.operators import over_islands
from evolve.queries.run_report import Report, collect
from fitness.nouns import Evaluation, Split, Status
from tests.support.example_run import add_hostile, build

pytest.importorskip("matplotlib", reason="needs the extra plots")

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import BboxBase

from evolve.report.plots import plots

pytestmark = pytest.mark.thorough

ALL = ("entropy", "fresh", "gains", "grid", "islands", "pgr")
LONG = "a method whose name goes on and on $\\frac{1$ and on 日本語 with dollars"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("runs") / "example.db", 60)


def call(db: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["report", "--db", str(db), *arguments])


def written(folder: Path, kind: str = "png") -> dict[str, Path]:
    return {path.stem.rpartition("-")[2]: path for path in sorted(folder.glob(f"*.{kind}"))}


def size(png: Path) -> tuple[int, int, int]:
    """Return width and height in pixels, and the pixels per metre, as the file says."""
    data = png.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at = data.index(b"pHYs") + 4
    return *struct.unpack(">II", data[16:24]), struct.unpack(">I", data[at : at + 4])[0]


def test_every_plot_is_a_file_of_a_columns_width(run: Path, tmp_path: Path) -> None:
    result = call(run, "--format", "png", "--out", str(tmp_path / "figures"))
    assert result.exit_code == 0, result.output
    files = written(tmp_path / "figures")
    assert tuple(files) == ALL
    assert sorted(result.output.split()) == sorted(map(str, files.values()))
    for file in files.values():
        width, height, density = size(file)
        assert (width, density) == (975, 11811), "3.25 inches at 300 dots an inch"
        assert 300 < height < 2400


@pytest.mark.parametrize("kind", plots.KINDS)
def test_the_same_archive_gives_the_same_bytes(run: Path, tmp_path: Path, kind: str) -> None:
    for folder in ("one", "two"):
        assert call(run, "--format", kind, "--out", str(tmp_path / folder)).exit_code == 0
    one, two = written(tmp_path / "one", kind), written(tmp_path / "two", kind)
    assert tuple(one) == ALL
    for name in ALL:
        data = one[name].read_bytes()
        assert data == two[name].read_bytes(), name
        assert not any(date in data for date in (b"tEXt", b"CreationDate", b"dc:date"))


def test_a_users_own_style_does_not_change_the_plots(run: Path, tmp_path: Path) -> None:
    call(run, "--format", "png", "--out", str(tmp_path / "plain"))
    with style.context({"font.size": 30, "figure.dpi": 40, "axes.facecolor": "red", "savefig.bbox": "tight"}):
        call(run, "--format", "png", "--out", str(tmp_path / "styled"))
    for name, file in written(tmp_path / "plain").items():
        assert file.read_bytes() == written(tmp_path / "styled")[name].read_bytes(), name


def drawn(db: Path) -> Iterator[tuple[str, Figure, Report]]:
    """Draw the plots of a run as they are saved, and yield them."""
    report = collect(Archive.open(db), alive=False)
    with style.context(["default", plots._STYLE]):
        for name, plot in plots.plots().items():
            figure = plot.draw(report)
            if figure is not None:
                FigureCanvasAgg(figure).draw()
                yield name, figure, report


def hostile(path: Path) -> Path:
    """Make a run with names that are long, hostile, or in a script that the font lacks."""
    build(path, 40)
    archive = Archive.open(path, write=True)
    with archive.transaction():
        archive._db.execute("update methods set name = ? || id where origin = 'search'", [LONG])
        archive._db.execute("update methods set name = 'lda, under a name that is far too long' where name = 'lda'")
        archive._db.execute("update proposals set model = 'openai:a-model-with-a-very-long-name-2026' where id % 2")
    champion = add_hostile(archive, 99, archive.methods()[0].id)
    archive.update_run(champion=champion)
    archive.close()
    return path


def words_of(figure: Figure) -> list[tuple[str, BboxBase]]:
    """Return every text that is seen, with its place; matplotlib keeps labels of ticks beyond the ends of an axis."""
    beyond = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            margin = 1e-6 * (high - low)
            ticks = [tick for tick in axis.get_major_ticks() if not low - margin <= tick.get_loc() <= high + margin]
            beyond |= {label for tick in ticks for label in (tick.label1, tick.label2)}
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text not in beyond and text.get_text().strip()]
    seen = [text for text in texts if text.get_visible() and (text.axes is None or text.axes.get_visible())]
    return [(text.get_text(), text.get_window_extent()) for text in seen]


@pytest.mark.filterwarnings("ignore:Glyph")
def test_no_words_overlap_or_leave_the_picture(run: Path, tmp_path: Path) -> None:
    for db in (run, hostile(tmp_path / "hostile.db"), build(tmp_path / "one.db", 1, seed=3, finished=False)):
        for name, figure, _ in drawn(db):
            words = words_of(figure)
            assert len(words) > 5
            for text, box in words:
                inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= figure.bbox.width + 1 and box.y1 <= figure.bbox.height + 1
                assert inside, (name, text)
            for (text, box), (other, beside) in combinations(words, 2):
                assert not box.shrunk(0.9, 0.8).overlaps(beside.shrunk(0.9, 0.8)), (name, text, other)


def test_the_plots_show_what_the_page_shows(run: Path) -> None:
    figures = {name: (figure, report) for name, figure, report in drawn(run)}
    figure, report = figures["pgr"]
    (axes,) = figure.axes
    mean = next(line for line in axes.lines if line.get_label() == "best so far, mean")
    assert list(mean.get_ydata())[:-1] == [best.pgr for best in report.curve.best]
    assert sum(len(dots.get_offsets()) for dots in axes.collections if "judged" in str(dots.get_label())) == sum(
        dot.whole for dot in report.curve.dots
    )
    figure, report = figures["grid"]
    whole = next(heat for heat in report.maps if heat.island is None)
    colours = figure.axes[0].collections[0].get_array()
    assert colours is not None
    assert sorted(value for value in colours.compressed() if math.isfinite(value)) == sorted(s.fitness for s in whole.squares)
    figure, report = figures["islands"]
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == ["Island 0", "Island 1", "Island 2"]
    figure, report = figures["fresh"]
    names = {label.get_text() for label in figure.axes[0].get_yticklabels()}
    assert names == {row.label for row in (*report.leaderboard, *report.baselines) if row.fresh_pgr is not None}
    figure, report = figures["entropy"]
    assert list(figure.axes[0].lines[0].get_ydata()) == [point.entropy for point in report.spreads]
    figure, report = figures["gains"]
    assert len(figure.axes[0].patches) == sum(arm.tried > 0 for arm in over_islands(report.standing.arms))


@pytest.mark.parametrize("children", [0, 1])
def test_plots_without_data_are_left_out_and_named(tmp_path: Path, children: int) -> None:
    db = build(tmp_path / "small.db", children, seed=3, finished=False)
    result = call(db, "--format", "png")
    assert result.exit_code == 0, result.output
    assert set(written(tmp_path)) == {"pgr", "grid", "islands"} | ({"gains"} if children else set())
    assert "no plot fresh: nothing has been judged on fresh instances yet" in result.stderr
    assert ("no plot gains: no proposal has ended yet" in result.stderr) == (not children)


def test_a_run_in_which_everything_failed_has_no_plots(tmp_path: Path) -> None:
    archive = Archive.open(build(tmp_path / "failed.db", 0, finished=False), write=True)
    with archive.transaction():
        for name in ("elites", "trials", "evaluations"):
            archive._db.execute(f"delete from {name}")
        failed = Evaluation(archive.methods()[0].id, (), Status.CRASHED, None, {}, "it raised")
        archive.add_evaluation(failed, None, "chat", Split.DEV, None)
    archive.close()
    result = call(tmp_path / "failed.db", "--format", "png")
    assert "nothing can be drawn yet" in str(result.exception)
    assert not written(tmp_path)


def test_pictures_cannot_be_printed(run: Path) -> None:
    assert "name a folder with --out" in str(call(run, "--format", "png", "--out", "-").exception)


def test_a_missing_matplotlib_is_a_sentence(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name in ("evolve.report.plots.figures", "evolve.report.plots.tiles")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("figures", "tiles"):
        monkeypatch.delattr(f"evolve.report.plots.{name}", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if not (Path(path) / "matplotlib").exists()])
    result = call(run, "--format", "png")
    assert "pictures need the extra plots: run `pip install -e '.[plots]'` in the checkout" in str(result.exception)
