"""The pictures in docs/screenshots, taken of the page in a real browser: python -m tests.support.screenshots [RUN.db]

Without a run they are of the recorded search that the suite replays (data/), and of a large run whose scores are drawn.
"""

from __future__ import annotations

import lzma
import sys
import tempfile
from pathlib import Path

from archives.archive import Archive
from evolve.report.html.page import write_report
from tests.support.browser import ROOT, browser
from tests.support.example_run import build

FOLDER = ROOT / "docs" / "screenshots"
LARGE = 12_600  # proposals, of which about 10,000 become methods
SHOTS = {  # name: (run, part of the page, colours, width, height)
    "report-light": ("real", "", "light", 1280, 1420),
    "report-dark": ("real", "#grid", "dark", 1280, 1120),
    "method": ("real", "method", "light", 1280, 1500),
    "leaderboard": ("real", "#leaderboard", "light", 1280, 900),
    "phone": ("real", "", "dark", 400, 860),
    "ten-thousand": ("large", "#curve", "light", 1280, 1260),
}


def take(real: Path, folder: Path) -> None:
    """Take every picture; `folder` is for what is made on the way."""
    files = {"real": write_report(Archive.open(real), folder / "real.html")}
    files["large"] = write_report(Archive.open(build(folder / "large.db", LARGE)), folder / "large.html")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with browser() as opened:
        for name, (run, part, scheme, width, height) in SHOTS.items():
            page = opened.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(files[run].as_uri())
            if part == "method":
                page.locator("#board tbody a").first.click()
                page.locator("#method h1").wait_for()
            elif part:
                page.evaluate(f"document.querySelector('{part}').scrollIntoView()")
            page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")
            page.close()
            print(f"{name}.png: {(FOLDER / f'{name}.png').stat().st_size / 1000:.0f} kB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        real = Path(folder) / "run.db"
        if len(sys.argv) > 1:
            real = Path(sys.argv[1])
        else:
            real.write_bytes(lzma.decompress((ROOT / "tests" / "support" / "data" / "recorded.db.xz").read_bytes()))
        take(real, Path(folder))


if __name__ == "__main__":
    main()
