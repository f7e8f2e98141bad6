"""The page of odd runs in a browser, wide and narrow: nothing judged, one method, all failed, long names, hostile texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archives.archive import Archive
from archives.nouns import MethodRecord
from evolve.report.html.page import write_report
from fitness.nouns import Evaluation, Split, Status
from tests.support.browser import browser, watched
from tests.support.example_run import add_hostile, build

pytestmark = pytest.mark.thorough

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTHS = (1280, 400)


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with browser() as running:
        yield running


def empty(path: Path) -> Archive:
    """Return a run in which nothing has been judged."""
    archive = Archive.open(build(path, 0, finished=False), write=True)
    with archive.transaction():
        for name in ("elites", "trials", "evaluations", "events", "methods", "directions"):
            archive._db.execute(f"delete from {name}")
    return archive


def nothing(path: Path) -> None:
    empty(path)


def one_method(path: Path) -> None:
    archive = empty(path)
    archive.add_method(
        MethodRecord("ab" * 32, "def method(problem):\n    return problem.weak[:, 1]\n", 9, "", "search", "[]", (), ())
    )
    archive.add_evaluation(Evaluation("ab" * 32, (), Status.OK, 0.5, {}), None, "chat", Split.DEV, None)


def all_failed(path: Path) -> None:
    archive = empty(path)
    for digit in "abcd":
        archive.add_method(MethodRecord(digit * 64, "def method(problem):\n    raise\n", 9, "", "search", "[]", (), ()))
        failed = Evaluation(digit * 64, (), Status.CRASHED, None, {}, f"it raised {digit}")
        archive.add_evaluation(failed, None, "chat", Split.DEV, None)


def long_names(path: Path) -> None:
    archive = Archive.open(build(path, 12), write=True)
    with archive.transaction():
        archive._db.execute("update methods set name = printf('%.*c', 3000, 'x') || rowid, flags = printf('%.*c', 500, 'f')")
        archive._db.execute("update evaluations set message = printf('%.*c', 3000, 'm')")
        archive._db.execute("update proposals set idea = printf('%.*c', 3000, 'i')")
        archive._db.execute("update runs set verdict = printf('%.*c', 3000, 'v'), task = printf('%.*c', 300, 't')")


def hostile(path: Path) -> None:
    archive = Archive.open(build(path, 12), write=True)
    method = add_hostile(archive, 99, archive.methods()[0].id)
    archive.update_run(champion=method, verdict="</p><script>alert(3)</script><img src=x onerror=alert(4)>")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("make", [nothing, one_method, all_failed, long_names, hostile])
def test_odd_runs_are_shown_without_error_or_overflow(opened: Browser, tmp_path: Path, make: object, width: int) -> None:
    path = tmp_path / "odd.db"
    make(path)  # type: ignore[operator]
    shown = opened.new_page(viewport={"width": width, "height": 800})
    seen = watched(shown)
    shown.goto(write_report(Archive.open(path), tmp_path / "odd.html").as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    for section in shown.locator("#main > section").all():
        assert len(section.inner_text()) > 30
    links = shown.locator("#board tbody a")
    if links.count():
        links.first.click()
        shown.locator("#method h1").wait_for()
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert seen == []
    shown.close()
