"""The live page in a real browser: it follows a run, keeps what one was doing, and says when the run is gone or another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archives.archive import Archive
from evolve.report.html.page import waiting
from tests.support.browser import browser, served, watched
from tests.support.example_run import add_hostile, add_model_call, build

pytestmark = pytest.mark.thorough

pytest.importorskip("uvicorn", reason="the live page (needs starlette and uvicorn)")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with browser() as running:
        yield running


def test_a_live_page_follows_the_run_and_keeps_what_one_was_doing(opened: Browser, tmp_path: Path) -> None:
    db = build(tmp_path / "running.db", 20, finished=False)
    with served(db) as (url, _):
        page = opened.new_page()
        seen = watched(page)
        page.goto(url)
        page.get_by_text("Last change seen at").wait_for()
        field = page.get_by_label("Search the leaderboard")
        field.fill("lda")
        page.locator("#grid summary").first.click()
        archive = Archive.open(db, write=True)
        parent = archive.methods()[0].id
        for number in range(3):
            add_model_call(archive, 100 + number, parent, 0.5)
            page.get_by_text("$" + f"{0.5 * (number + 1):.2f}").first.wait_for()
        assert field.input_value() == "lda"
        assert page.locator("#board tbody tr").count() == 1
        assert page.locator("#grid details").first.get_attribute("open") is not None
        page.reload()
        page.get_by_text("$1.50").first.wait_for()
        page.locator("#board tbody a").first.click()
        page.locator("#method h1").wait_for()
        add_hostile(archive, 200, parent)
        page.get_by_role("link", name="All methods").click()
        page.locator("#failures").get_by_text("red").first.wait_for(timeout=15_000)
        page.evaluate("location.hash = 'm-ffffffffffff'")
        page.get_by_text("holds no method").wait_for()
        assert [line for line in seen if "503" not in line] == []
        page.close()


def test_a_page_that_is_opened_before_the_run_was_read_fills_itself(opened: Browser, tmp_path: Path) -> None:
    run = build(tmp_path / "example.db", 60)
    with served(run) as (url, _):
        page = opened.new_page()
        seen = watched(page)
        page.route(url, lambda route: route.fulfill(body=waiting(run.name), content_type="text/html"))
        held: list[Route] = []
        page.route("**/?now", lambda route: held.append(route))
        page.goto(f"{url}#leaderboard")
        assert page.locator("h1").inner_text() == "Reading the run"
        page.unroute("**/?now")
        for asked in held:
            asked.continue_()
        page.get_by_label("Search the leaderboard").fill("lda")
        assert page.locator("#board tbody tr").count() == 1
        assert [part.get_attribute("id") for part in page.locator("#main > section").all()][:3] == ["result", "curve", "grid"]
        assert "beats the human best" in page.locator("h1").inner_text() + page.title()
        page.locator("#grid a.heat").first.click()
        page.locator("#method h1").wait_for()
        assert seen == []
        page.close()


def test_a_live_page_says_that_its_run_is_gone_or_another(opened: Browser, tmp_path: Path) -> None:
    db, other = build(tmp_path / "first.db", 4), build(tmp_path / "second.db", 5, finished=False)
    with served(db) as (url, process):
        page = opened.new_page()
        page.goto(url)
        page.get_by_text("Last change seen at").wait_for()
        db.rename(tmp_path / "away.db")
        page.get_by_text("The run's file is gone").wait_for()
        assert "Run first" in page.locator("header").inner_text()
        other.rename(db)
        page.get_by_text("The file now holds another run, second").wait_for()
        assert "Run second" in page.locator("header").inner_text()
        assert page.locator("#result").count() == 0
        process.kill()
        process.wait()
        page.get_by_text("The server does not answer").wait_for()
        page.close()
