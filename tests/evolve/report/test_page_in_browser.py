"""The page as a person meets it: a browser clicks, types, presses keys; also without JavaScript, in the dark, on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archives.archive import Archive
from evolve.report.html.page import write_report
from tests.support.browser import browser, watched
from tests.support.example_run import build

pytestmark = pytest.mark.thorough

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (1280, 400)
ROWS = "rows => rows.map(row => row.id + row.innerHTML)"


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with browser() as running:
        yield running


SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("page") / "example.db", 150)


@pytest.fixture(scope="module")
def file(run: Path) -> str:
    return write_report(Archive.open(run), run.with_suffix(".html")).as_uri()


@pytest.fixture
def page(opened: Browser, file: str) -> Iterator[Page]:
    shown = opened.new_page(viewport={"width": 1280, "height": 900})
    seen = watched(shown)
    shown.goto(file)
    yield shown
    assert seen == []
    shown.close()


@pytest.mark.quick
def test_a_click_on_a_cell_opens_the_elite_and_back_returns(page: Page) -> None:
    cell = page.locator("#grid a.heat").first
    label = str(cell.get_attribute("aria-label"))
    cell.click()
    heading = page.locator("#method h1")
    heading.wait_for()
    assert label.startswith(str(page.locator("#method article").get_attribute("data-title")))
    assert heading.evaluate("it => it === document.activeElement")
    assert not page.locator("#main").is_visible()
    for part in ("Scores", "Source", "Fitness", "Instance by instance"):
        assert part in page.locator("#method").inner_text()
    assert page.locator("#method pre .sk").count() > 0
    page.get_by_role("link", name="All methods").click()
    page.locator("#leaderboard").wait_for()
    assert not page.locator("#method").is_visible()
    page.go_back()
    heading.wait_for()


def test_the_pointer_is_told_what_lies_under_it(page: Page) -> None:
    tip = page.locator("#tip")
    assert not tip.is_visible()
    page.locator("#grid a.heat").first.hover()
    assert re.search(r"fitness -?\.\d\d; island \d; teacher agreement", tip.inner_text())
    page.locator("#grid rect.empty").first.hover()
    assert tip.inner_text().startswith("empty: ")
    page.locator("#lineage path.main").first.dispatch_event("pointermove")
    assert "gain" in tip.inner_text()
    page.mouse.move(2, 2)
    assert not tip.is_visible()


def test_the_lineage_opens_its_methods_and_says_the_gains(page: Page) -> None:
    nodes = page.locator("#lineage svg a")
    assert nodes.count() > 3
    assert re.fullmatch(r"[+-]?\d?\.\d\d", page.locator("#lineage text.gain").first.text_content() or "")
    nodes.last.click()
    page.locator("#method h1").wait_for()
    page.keyboard.press("Escape")
    page.locator("#lineage").wait_for()


def test_with_the_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#grid-h").evaluate("it => { it.tabIndex = -1; it.focus(); }")
    page.keyboard.press("Tab")
    here = "[document.activeElement.dataset.x, document.activeElement.dataset.y].map(Number)"
    x, y = page.evaluate(here)
    page.evaluate(SETTLED)
    assert page.locator("#tip").is_visible()
    stops = page.evaluate("[...document.querySelectorAll('#grid a.heat')].filter(it => it.tabIndex === 0).length")
    assert stops == page.locator("#grid svg:has(a.heat)").count()
    moved = set()
    for arrow, test in (("ArrowRight", lambda a, b: a > x), ("ArrowDown", lambda a, b: True)):
        page.keyboard.press(arrow)
        assert test(*page.evaluate(here))
        moved.add(tuple(page.evaluate(here)))
    assert len(moved - {(x, y)}) >= 1
    page.keyboard.press("Enter")
    page.locator("#method h1").wait_for()
    page.keyboard.press("Escape")
    page.locator("#leaderboard").wait_for()
    button = page.locator("#board thead button").nth(3)
    button.focus()
    page.keyboard.press("Enter")
    assert page.locator("#board thead th").nth(3).get_attribute("aria-sort") == "descending"


def test_what_has_the_focus_is_told_after_the_page_has_scrolled_to_it(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 240})
    page.locator("#grid-h").evaluate("it => { it.tabIndex = -1; it.focus({ preventScroll: true }); scrollTo(0, 0); }")
    page.evaluate(SETTLED)
    page.keyboard.press("Tab")
    page.evaluate(SETTLED)
    assert page.evaluate("scrollY") > 0
    tip, cell = (page.locator(part).bounding_box() for part in ("#tip", "#grid a.heat:focus"))
    assert tip
    assert cell
    assert abs(tip["x"] - cell["x"]) < 40
    assert abs(tip["y"] - cell["y"]) < cell["height"] + 40


def numbers(page: Page, column: int) -> list[float]:
    texts = page.locator(f"#board tbody tr > :nth-child({column})").all_inner_texts()
    return [float(found[0]) for text in texts if (found := re.match(r"-?\d*\.\d+", text))]


def test_every_column_sorts_both_ways(page: Page) -> None:
    heads = page.locator("#board thead th")
    assert heads.nth(0).get_attribute("aria-sort") == "ascending"
    for column in (4, 5):
        page.locator("#board thead button").nth(column - 1).click()
        falling = numbers(page, column)
        assert falling == sorted(falling, reverse=True)
        page.locator("#board thead button").nth(column - 1).click()
        rising = numbers(page, column)
        assert rising == sorted(rising)
        assert len(falling) > 20
        assert rising != falling
    names = heads.all_inner_texts()
    page.locator("#board thead button").nth(names.index("Direction")).click()
    texts = page.locator(f"#board tbody tr > :nth-child({names.index('Direction') + 1})").all_inner_texts()
    known = [text for text in texts if text != "–"]
    assert known == sorted(known)
    for place in range(len(names)):
        page.locator("#board thead button").nth(place).click()
        assert page.locator("#board tbody tr").count() > 20


def test_search_finds_what_all_its_words_are_in(page: Page, run: Path) -> None:
    rows = page.locator("#board tbody tr")
    everything = rows.count()
    page.get_by_label("Search the leaderboard").fill("Two VIEWS perturb")
    found = rows.all_inner_texts()
    assert 0 < len(found) < everything
    assert all("two views" in text and "perturb" in text for text in found)
    assert f"{len(found)} of " in page.locator("#board-status").inner_text()
    page.get_by_label("Search the leaderboard").fill("nobody has this name")
    assert rows.count() == 0
    assert page.locator("#board-status").inner_text().startswith("0 of ")
    page.get_by_label("Search the leaderboard").fill("")
    page.get_by_role("button", name=re.compile("^Show .* more$")).click()
    assert rows.count() == Archive.open(run).rows("select count(*) as n from leaderboard")[0]["n"]


def test_the_script_makes_the_same_rows_as_the_report(opened: Browser, file: str, page: Page) -> None:
    plain = opened.new_context(java_script_enabled=False).new_page()
    plain.goto(file)
    ours = plain.locator("#board tbody tr").evaluate_all(ROWS)
    theirs = page.locator("#board tbody tr").evaluate_all(ROWS)
    assert len(ours) == 50
    assert theirs[:50] == ours
    plain.context.close()


def test_without_javascript_the_tables_stand(opened: Browser, file: str) -> None:
    plain = opened.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}).new_page()
    plain.goto(file)
    assert "Without JavaScript" in plain.locator("noscript, .without").first.inner_text()
    assert plain.locator("input").count() == 0
    assert plain.locator("th button").count() == 0
    plain.locator("#changes summary").last.click()
    assert "def method(problem)" in plain.locator("#changes details").last.inner_text()
    plain.locator("#grid a.heat").first.click(force=True)
    assert plain.locator("#board tbody tr").nth(49).is_visible()
    plain.context.close()


def test_a_method_that_the_file_does_not_hold_says_where_it_is(page: Page) -> None:
    page.evaluate("location.hash = 'm-0123456789ab'")
    page.get_by_text("python -m evolve show 0123456789ab").wait_for()
    assert "holds the pages of" in page.locator("#method").inner_text()


def test_dark_and_light_are_different_and_readable(opened: Browser, file: str) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        shown = opened.new_page(color_scheme=scheme)  # type: ignore[arg-type]
        shown.goto(file)
        shades[scheme] = shown.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        )
        shown.close()
    bright = {scheme: [sum(map(int, re.findall(r"\d+", colour))) for colour in pair] for scheme, pair in shades.items()}
    assert bright["light"][0] > 700 > 200 > bright["light"][1]
    assert bright["dark"][0] < 200 < 600 < bright["dark"][1]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_label_of_a_picture_is_cut_off(opened: Browser, file: str, width: int) -> None:
    shown = opened.new_page(viewport={"width": width, "height": 800})
    shown.goto(file)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    outside = shown.evaluate(
        """[...document.querySelectorAll("svg text")].filter(text => {
            const [box, frame] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
            return box.width && (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 3);
        }).map(text => text.textContent)"""
    )
    assert outside == []
    shown.close()
