"""The page of a large run: how large it is, how long it takes to write, and when a browser paints it first.

python -m tests.bench.page [RUN.db]      (without a run: about 10,000 methods whose scores are drawn)
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from archives.archive import Archive
from evolve.report.html.page import render
from evolve.report.html.view import view
from tests.support.browser import browser, served
from tests.support.example_run import build

PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
ROUNDS = 5


def measured(db: Path, folder: Path) -> None:
    """Print size, time to write and first paint, of the file and of the live page."""
    archive = Archive.open(db)
    began = time.perf_counter()
    shown = view(archive, alive=False)
    text = render(shown)
    took = time.perf_counter() - began
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    print(f"load {os.getloadavg()[0]:.1f}; {shown.report.standing.methods:,} methods, {len(shown.pages):,} pages in the file")
    print(f"report: {file.stat().st_size / 1e6:.2f} MB (aim 5), written in {took:.1f} s")
    began = time.perf_counter()
    live = render(view(archive, alive=False, live=True))
    print(f"ui: {len(live.encode()) / 1e6:.2f} MB, made in {time.perf_counter() - began:.1f} s after a change")
    with browser() as opened, served(db) as (url, _):
        for name, address in (("report", file.as_uri()), ("ui", url)):
            paints = []
            for _ in range(ROUNDS):
                page = opened.new_page(viewport={"width": 1280, "height": 900})
                page.goto(address, wait_until="load")
                page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
                paints.append(page.evaluate(PAINT))
                page.close()
            listed = ", ".join(f"{paint:.0f}" for paint in paints)
            print(f"{name}: first paint after {listed} ms (aim 1,000)")
        page = opened.new_page(viewport={"width": 1280, "height": 900})
        page.goto(file.as_uri())
        for what, script in (
            ("sorts by dev PGR", "document.querySelectorAll('#board thead button')[4].click()"),
            (
                "searches",
                "(it => { it.value = 'two'; it.dispatchEvent(new Event('input')); })(document.querySelector('#board-search'))",
            ),
        ):
            spent = page.evaluate(f"(() => {{ const t = performance.now(); {script}; return performance.now() - t; }})()")
            print(f"leaderboard {what} in {spent:.0f} ms")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        run = Path(sys.argv[1]) if len(sys.argv) > 1 else build(Path(made) / "large.db", 12_600)
        measured(run, Path(made))
