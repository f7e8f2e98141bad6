"""The report: one page that is safe, self-contained and readable by everyone; the same facts as JSON and Markdown; exports."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import math
import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from archives.archive import Archive
from evolve.cli import cli
from evolve.errors import UsageError
from evolve.queries.diversity import entropy, spreads
from evolve.queries.failures import failures
from evolve.queries.run_report import LEADERBOARD, Report, as_json, collect
from evolve.report import markdown
from evolve.report.export import write_best, write_methods
from evolve.report.html import page
from evolve.report.html.axes import Scale
from evolve.report.html.leaderboard import FIRST
from evolve.report.html.markup import data, join, tag
from evolve.report.html.page import script
from evolve.report.html.view import view
from evolve.text import duration, interval, money, number
from fitness.nouns import Evaluation, Split, Status
from tests.support.example_run import add_hostile, build

VOID = {"meta", "br", "hr", "col", "input", "img", "link"}


class Reader(HTMLParser):
    """Reads a page as a checker would: its elements, their attributes and texts, and whether they nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, {key: value or "" for key, value in attributes}))
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, {key: value or "" for key, value in attributes}))

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def named(self, name: str) -> list[dict[str, str]]:
        return [attributes for element, attributes in self.elements if element == name]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("runs") / "example.db", 60)


@pytest.fixture(scope="module")
def report(run: Path) -> Report:
    return collect(Archive.open(run), alive=False)


@pytest.fixture(scope="module")
def html(run: Path) -> str:
    return page.render(view(Archive.open(run), alive=False))


def hostile(path: Path) -> tuple[Archive, str]:
    build(path, 8)
    archive = Archive.open(path, write=True)
    method = add_hostile(archive, 99, archive.methods()[0].id)
    archive.update_run(champion=method, verdict="</p><script>alert(3)</script>")
    return archive, method


def test_the_page_is_one_file_that_asks_for_nothing_outside(html: str) -> None:
    reader = Reader(html)
    assert not reader.open
    assert not {"link", "img", "iframe", "object", "base", "form"} & {name for name, _ in reader.elements}
    for name, attributes in reader.elements:
        held = [key for key in attributes if key.startswith("on") or key in ("src", "srcset", "action", "style")]
        assert not held, (name, attributes)
        assert attributes.get("href", "#").startswith("#")
    assert "url(" not in html
    assert "@import" not in html


def test_only_the_style_and_the_script_of_ours_may_act(html: str) -> None:
    (said,) = [m["content"] for m in Reader(html).named("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert "unsafe" not in said
    acting = re.findall(r"<(style|script)>(.*?)</(?:style|script)>", html, re.DOTALL)
    assert [name for name, _ in acting] == ["style", "script"]
    for name, text in acting:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in said


def test_untrusted_text_cannot_leave_the_data_of_the_page() -> None:
    evil = "</script><script>alert(1)</script><!-- <SCRIPT> ]]> \u2028"
    inside = re.fullmatch(r'<script type="application/json" id="x">(.*)</script>', data("x", [evil]))
    assert inside
    assert not re.search(r"</?script|<!--", inside[1], re.IGNORECASE)
    assert json.loads(inside[1]) == [evil.replace("\u2028", "\\u2028")]


def test_the_page_can_be_read_with_a_keyboard_and_a_screen_reader(html: str) -> None:
    reader = Reader(html)
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    pages = json.loads(held(html, "pages"))["pages"]
    for _, attributes in reader.elements:
        if "href" in attributes:
            assert attributes["href"][1:] in {*ids, *pages}
        for name in attributes.get("aria-labelledby", "").split():
            assert name in ids
    assert len(reader.named("h1")) == 1
    assert len(reader.named("caption")) == len(reader.named("table")) > 5
    pictures = [svg for svg in reader.named("svg") if "aria-hidden" not in svg]
    assert len(pictures) == len(reader.named("desc")) > 5
    assert all("aria-label" in link for link in reader.named("a") if "data-x" in link)
    assert all("scope" in head for head in reader.named("th"))
    assert reader.named("html") == [{"lang": "en"}]


def held(html: str, name: str) -> str:
    """Return one of the page's pieces of data."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.DOTALL)
    assert found
    return found[1]


def palette(theme: int) -> dict[str, str]:
    blocks = re.findall(r":root\s*\{(.*?)\}", Path(page.__file__).with_name("page.css").read_text(), re.DOTALL)
    return dict(re.findall(r"--(\w+):\s*(#\w+)", blocks[theme]))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_equal_steps_of_fitness_look_equally_large_to_everybody(theme: int) -> None:
    colours = [oklab(palette(theme)[f"h{step}"]) for step in range(1, 9)]
    steps = [math.dist(one, other) for one, other in pairwise(colours)]
    assert max(steps) < 1.12 * min(steps)
    lightness = [colour[0] for colour in colours]
    assert lightness == sorted(lightness, reverse=theme == 0)
    assert min(abs(one - other) for one, other in pairwise(lightness)) > 0.05  # told apart without seeing any hue


def oklab(colour: str) -> tuple[float, float, float]:
    """Return a colour in OKLab (Ottosson 2020)."""
    red, green, blue = linear(colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_colours_of_text_have_enough_contrast(theme: int) -> None:
    colours = palette(theme)
    pairs = [
        ("ink", "paper"),
        ("soft", "paper"),
        ("soft", "card"),
        ("link", "paper"),
        ("champion", "paper"),
        ("human", "paper"),
    ]
    pairs += [("good", "goodbg"), ("neutral", "neutralbg"), ("add", "addbg"), ("del", "delbg")]
    pairs += [(f"t{index}", f"h{index}") for index in range(9)]
    pairs += [(name, "card") for name in ("sk", "ss", "sn", "sc", "sf", "sb", "ink", "link")]
    pairs += [(name, "goodbg") for name in ("ink", "soft", "link")]
    pairs += [(name, ground) for name in ("ink", "soft", "link") for ground in ("faint", "card")] + [("ink", "neutralbg")]
    for text, ground in pairs:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(colour: str) -> list[float]:
    """Return red, green and blue of a colour as amounts of light."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def test_the_page_says_what_the_archive_says(report: Report, html: str, run: Path) -> None:
    archive = Archive.open(run)
    champion, verdict = archive.run().champion, archive.run().verdict
    fresh = [trial.score.pgr for trial in archive.trials(champion, Split.FRESH, "math") if trial.score]
    theirs = [trial.score.pgr for trial in archive.trials(archive.run().human_best, Split.FRESH, "math") if trial.score]
    line = next(line for line in report.comparisons if line.domain == "math")
    assert line.held_out
    assert line.champion is not None
    assert line.champion.pgr == pytest.approx(fmean(fresh))
    assert line.difference == pytest.approx(fmean(fresh) - fmean(theirs))
    assert [c.domain for c in report.comparisons] == ["chat", "math", "code", "digits"]
    seen = " ".join(Reader(html).texts)
    assert number(line.champion.pgr) in seen
    assert verdict.partition(": ")[2] in seen
    assert report.verdict.shown is True
    assert "The champion beats the human best" in seen


def test_best_so_far_only_rises(report: Report) -> None:
    fitness = [best.fitness for best in report.curve.best]
    assert fitness == sorted(set(fitness))
    assert report.curve.evaluations == report.standing.evaluations
    assert report.standing.best is not None
    assert report.curve.best[-1].method == report.standing.best.method


def test_untrusted_text_is_escaped_everywhere(tmp_path: Path) -> None:
    archive, _ = hostile(tmp_path / "hostile.db")
    html = page.render(view(archive, alive=False))
    ours = [' type="application/json" id="board-data"', ' type="application/json" id="pages"', ""]
    assert re.findall(r"<script([^>]*)>", html) == ours
    assert len(re.findall("</script", html, re.IGNORECASE)) == 3
    assert "&lt;script&gt;" in html
    for inside in json.loads(held(html, "pages"))["pages"].values():
        assert not {"script"} & {name for name, _ in Reader(inside).elements}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", html)
    text = markdown.render(collect(archive, alive=False))
    assert "\x1b" not in text
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert "<script" not in outside.replace("\\<", "")
    for block in re.findall(r"(?:^\|.*\|$\n?)+", outside, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


def test_a_method_that_failed_in_the_final_shows_its_status(tmp_path: Path) -> None:
    archive, _ = hostile(tmp_path / "failed.db")
    report = collect(archive, alive=False)
    line = next(line for line in report.comparisons if line.domain == "math")
    assert line.champion is not None
    assert (line.champion.status, line.champion.pgr, line.difference) == ("CRASHED", None, None)
    assert "CRASHED" in page.render(view(archive, alive=False))


def test_reports_of_runs_that_did_not_get_far(tmp_path: Path) -> None:
    unfinished = Archive.open(build(tmp_path / "unfinished.db", 12, finished=False))
    html = page.render(view(unfinished, alive=False))
    assert "The search was interrupted" in html
    assert "there is no verdict" in html
    assert "The search is running" in page.render(view(unfinished, alive=True))
    seeds = Archive.open(build(tmp_path / "seeds.db", 0, finished=False))
    assert "lda" in page.render(view(seeds, alive=True))
    bare = Archive.open(build(tmp_path / "bare.db", 0, finished=False), write=True)
    with bare.transaction():
        for name in ("elites", "trials", "evaluations", "events", "methods", "directions"):
            bare._db.execute(f"delete from {name}")
    report, text = collect(bare, alive=True), page.render(view(bare, alive=True))
    assert not Reader(text).open
    assert "Nothing has been judged OK yet" in text
    assert markdown.render(report)
    assert json.loads(as_json(report))["leaderboard"] == []


def test_a_run_in_which_everything_failed(tmp_path: Path) -> None:
    archive = Archive.open(build(tmp_path / "failed.db", 0, finished=False), write=True)
    seed = archive.methods()[0].id
    with archive.transaction():
        for name in ("elites", "trials", "evaluations"):
            archive._db.execute(f"delete from {name}")
        archive.add_evaluation(Evaluation(seed, (), Status.CRASHED, None, {}, "it raised"), None, "chat", Split.DEV, None)
    html = page.render(view(archive, alive=True))
    assert "it raised" in html
    assert "Nothing has been judged OK yet" in html


def test_failures_that_differ_in_an_id_only_are_one(tmp_path: Path) -> None:
    archive = Archive.open(build(tmp_path / "failures.db", 0, finished=False), write=True)
    seed = archive.methods()[0].id
    with archive.transaction():
        for message in ("same as 1a2b3c4d", "same as deadbee5", "line 12 of facade"):
            archive.add_evaluation(Evaluation(seed, (), Status.INVALID, None, {}, message), None, "chat", Split.DEV, None)
    found = [(line.status, line.reason, line.count) for line in failures(archive)]
    assert found == [("INVALID", "same as …", 2), ("INVALID", "line 12 of facade", 1)]


def test_json_has_no_number_that_json_lacks(tmp_path: Path) -> None:
    archive = Archive.open(build(tmp_path / "infinite.db", 3), write=True)
    with archive.transaction():
        archive._db.execute("update evaluations set pgr_low = -9e999, pgr_high = 9e999 where split = 'fresh'")
    report = collect(archive, alive=False)
    found = json.loads(as_json(report), parse_constant=lambda name: pytest.fail(name))
    assert found["comparisons"][0]["champion"]["pgr_low"] is None
    seen = " ".join(Reader(page.render(view(archive, alive=False))).texts)
    assert not re.search(r"\b(inf|nan)\b", seen.replace(script(), "").lower())


def test_a_large_run_is_cut_and_says_so(tmp_path: Path) -> None:
    archive = Archive.open(build(tmp_path / "large.db", 300))
    report = collect(archive, alive=False)
    assert len(report.leaderboard) == LEADERBOARD < report.judged
    shown = view(archive, alive=False)
    html = page.render(shown)
    assert f"The best {FIRST} of {report.judged:,} methods" in html
    assert len(json.loads(held(html, "board-data"))["rows"]) == len(shown.methods) == report.judged
    assert len(json.loads(held(html, "pages"))["pages"]) == len(shown.pages)


@pytest.mark.slow
def test_the_page_of_ten_thousand_methods_is_small(tmp_path: Path) -> None:
    path = page.write_report(Archive.open(build(tmp_path / "huge.db", 13_000)), tmp_path / "huge.html")
    assert path.stat().st_size < 5_000_000
    assert re.search(r"holds the pages \(source, diff, prompt, reply\) of [\d,]+ of 1\d,\d{3} methods", path.read_text())


def test_the_verb_writes_beside_the_archive(run: Path) -> None:
    result = CliRunner().invoke(cli, ["report", "--db", str(run)])
    assert result.exit_code == 0, result.output
    assert Path(result.output.strip()) == run.with_suffix(".html")
    assert run.with_suffix(".html").read_text(encoding="utf-8").startswith("<!doctype html>")
    printed = CliRunner().invoke(cli, ["report", "--format", "json", "--out", "-", "--db", str(run)])
    assert json.loads(printed.output)["standing"]["state"] == "finished"


def test_a_place_that_cannot_be_written_is_a_sentence(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    archive = Archive.open(run)
    with pytest.raises(UsageError, match=r"cannot write .*choose another place"):
        page.write_report(archive, tmp_path / "file" / "report.html")
    with pytest.raises(UsageError, match="cannot write"):
        write_best(archive, archive.run().champion, tmp_path)


def test_an_exported_method_is_the_same_program(run: Path, tmp_path: Path) -> None:
    archive = Archive.open(run)
    written = write_methods(archive, 3, tmp_path / "out")
    sources = {record.id: record.source for record in archive.methods()}
    assert written[0].method == archive.run().champion
    for line in written:
        text = line.file.read_text(encoding="utf-8")
        assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(sources[line.method]))
        assert line.method in text.splitlines()[1]
    assert "one-sided 95 % lower bound" in written[0].file.read_text(encoding="utf-8")


def test_an_exported_header_cannot_become_code(tmp_path: Path) -> None:
    archive, method = hostile(tmp_path / "hostile.db")
    text = write_best(archive, method, tmp_path / "best.py").read_text(encoding="utf-8")
    head, _, body = text.partition("\n\n")
    assert all(line.startswith("#") for line in head.splitlines())
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(body))
    assert "\x1b" not in head
    (line,) = write_methods(archive, 1, tmp_path / "out")
    assert re.fullmatch(r"01-[\w-]+\.py", line.file.name)


@given(st.lists(st.integers(min_value=0, max_value=50), min_size=1, max_size=12))
def test_entropy_lies_between_none_and_all_alike(counts: list[int]) -> None:
    bits = entropy(counts)
    assert -1e-9 <= bits <= math.log2(len(counts)) + 1e-9
    assert entropy([7] * len(counts)) == pytest.approx(math.log2(len(counts)))


def test_the_sliding_window_counts_what_is_in_it(run: Path) -> None:
    archive = Archive.open(run)
    proposals = archive.proposals()
    for point in spreads(archive, 20):
        window = proposals[point.proposal - 20 : point.proposal]
        assert point.entropy == pytest.approx(entropy(Counter(p.direction for p in window).values()))
        assert point.novelty == pytest.approx(fmean(p.novelty for p in window))


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(2, 10))
def test_ticks_are_few_rising_and_inside(low: float, span: float, wanted: int) -> None:
    scale = Scale(low, low + span, 0, 100)
    ticks = scale.ticks(wanted)
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= wanted / 0.75 + 1
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)


def test_wording() -> None:
    assert [number(value) for value in (0.661, -0.124, 1.018, -0.001, 0.999, None, math.inf)] == [
        ".66", "-.12", "1.02", ".00", "1.00", "–", "–",
    ]  # fmt: skip
    assert (number(0.05, sign=True), number(-1.5, sign=True)) == ("+.05", "-1.50")
    assert (interval(0.5, 0.75), interval(-math.inf, 0.75)) == ("[.50, .75]", "")
    assert [duration(seconds) for seconds in (42, 252, 11_100)] == ["42 s", "4 min 12 s", "3 h 5 min"]
    assert [money(usd) for usd in (None, 0.0, 0.0123, 2.5)] == ["unknown", "$0.00", "$0.0123", "$2.50"]


def test_markup_escapes_all_but_itself() -> None:
    assert tag("p", "<b>", tag("i", "&"), title='"x"') == '<p title="&quot;x&quot;">&lt;b&gt;<i>&amp;</i></p>'
    assert join("<", tag("br")) == "&lt;<br>"
