"""A real browser for the tests of the page, and the page's server as a process of its own."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
NEEDS = "pages in a browser (needs playwright and chromium)"


@contextmanager
def browser() -> Iterator[Browser]:
    """Yield the machine's own Chromium; a machine without it skips, by name."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip(NEEDS)
    playwright = pytest.importorskip("playwright.sync_api", reason=NEEDS)
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


def watched(page: Page) -> list[str]:
    """Return a list that every error, refused load and dialog of a page will be added to."""
    seen: list[str] = []
    page.on("console", lambda message: seen.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("dialog", lambda dialog: (seen.append(f"dialog {dialog.message}"), dialog.dismiss()))
    return seen


@contextmanager
def served(db: Path, *flags: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a run with `ui` on a free port; yield the address and the process, which is ended by Ctrl-C."""
    command = [sys.executable, "-m", "evolve", "ui", "--json", "--db", str(db), *(flags or ("--port", "0"))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            assert said, process.stderr.read() if process.stderr else ""
            yield json.loads(said)["url"], process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(20)
