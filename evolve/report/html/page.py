"""Writes the page about a run, as one file or live: inline style, script and pictures, no outside asset."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from archives.archive import Archive
from evolve import __version__
from evolve.files import beside, write_text
from evolve.report.html import findings, search
from evolve.report.html.header import header, headline
from evolve.report.html.leaderboard import board_section
from evolve.report.html.markup import Safe, data, join, tag
from evolve.report.html.view import View, view
from evolve.text import count


def render(shown: View) -> str:
    """Return the page."""
    report = shown.report
    champion = report.standing.champion or (report.standing.best.method if report.standing.best else "")
    parts = {
        "result": ("Result", findings.final_section(report)),
        "curve": ("PGR so far", findings.curve_section(report)),
        "grid": ("Grid", findings.grid_section(report, shown.progress)),
        "lineage": ("Lineage", findings.lineage_section(report)),
        "changes": ("What changed", findings.changes_section(report)),
        "leaderboard": ("Leaderboard", board_section(shown.methods, shown.domains, champion)),
        "search": ("Search", search.search_section(report)),
        "failures": ("Failures", search.failures_section(report)),
        "costs": ("Costs", search.costs_section(report, shown.spending, shown.system)),
    }
    present = {name: part for name, part in parts.items() if part[1]}
    contents = tag("ul", *(tag("li", tag("a", title, href=f"#{name}")) for name, (title, _) in present.items()))
    foot = tag("footer", tag("h2", "Words"), search.glossary(), tag("p", _colophon(report.standing.db, shown)), id="foot")
    body = tag(
        "body",
        tag("a", "Skip to the panels", href="#main", class_="skip"),
        tag("p", id="live", role="status", class_="live") if shown.live else Safe(),
        header(report),
        tag("nav", contents, aria_label="Sections"),
        tag("noscript", tag("p", _WITHOUT_SCRIPT, class_="note without")),
        tag("main", *(part for _, part in present.values()), id="main"),
        *_frame(_pages(shown), foot),
    )
    return _document(_head(f"{report.standing.run}: {headline(report)}", live=shown.live, made_by=report.made_by), body)


def waiting(run: str) -> str:
    """Return the page of a live run that is still being read: its script asks for the rest."""
    body = tag(
        "body",
        tag("p", id="live", role="status", class_="live"),
        tag("header", tag("p", run, class_="eyebrow"), tag("h1", "Reading the run"), id="top"),
        tag("nav", aria_label="Sections"),
        tag("noscript", tag("p", "Reload the page in a moment.", class_="note without")),
        tag("main", id="main"),
        *_frame({"run": run, "live": True, "pages": {}, "missing": ""}, tag("footer", id="foot")),
    )
    return _document(_head(run, live=True), body)


_WITHOUT_SCRIPT = (
    "Without JavaScript the tables and pictures are complete, but methods do not open and the leaderboard shows the best only."
)


def policy(*, live: bool) -> str:
    """Return the Content-Security-Policy: our style and script by their digests, and nothing else; live, our own server too."""
    style, code = (f"'sha256-{_digest(text)}'" for text in (style_sheet(), script()))
    reach = "connect-src 'self'; " if live else ""
    return f"default-src 'none'; {reach}style-src {style}; script-src {code}; base-uri 'none'; form-action 'none'"


def write_report(archive: Archive, path: Path | None = None, *, alive: bool = False) -> Path:
    """Write the page about a run (default: beside its archive); `alive`: whether its process still works.

    Raises UsageError when it cannot be written.
    """
    key = archive.run().key
    return write_text(path or beside(archive.path, ".html", key), render(view(archive, alive=alive)), key)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _document(head: Safe, body: Safe) -> str:
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _head(title: str, *, live: bool, made_by: str = "") -> Safe:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="generator", content=made_by) if made_by else Safe(),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(live=live)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Safe(style_sheet())),
    )


def _frame(pages: Mapping[str, object], foot: Safe) -> tuple[Safe, ...]:
    """Return what follows the sections: where a method opens, the foot, the tip, the methods' pages, and the script."""
    return (
        tag("main", id="method", hidden=""),
        foot,
        tag("div", id="tip", hidden="", aria_hidden="true"),
        data("pages", pages),
        tag("script", Safe(script())),
    )


def _pages(shown: View) -> dict[str, object]:
    """Return the methods' pages by their anchors, and what is said of the others; live, the script asks for each."""
    held = count(len(shown.pages), "method")
    missing = f"This file holds the pages of {held}; of the others it has a row in the leaderboard only."
    return {"run": shown.report.standing.run, "live": shown.live, "pages": dict(shown.pages), "missing": missing}


def _colophon(db: str, shown: View) -> Safe:
    kept = ""
    if not shown.live and len(shown.pages) < shown.report.standing.methods:
        kept = (
            f" To stay small it holds the pages (source, diff, prompt, reply) of {len(shown.pages):,} of "
            f"{count(shown.report.standing.methods, 'method')}, and cuts long texts; `python -m evolve ui` shows all of them."
        )
    return join(f"Written by evolve {__version__} from {Path(db).name}, an SQLite file that holds all of this and more.{kept}")


_STYLES = ("page.css", "charts.css")
_SCRIPTS = ("page.js", "table.js", "live.js")


@cache
def style_sheet() -> str:
    """Return the style sheet without comments and needless space."""
    text = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _STYLES)
    return " ".join(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).split())


@cache
def script() -> str:
    """Return the script: the files one after the other in a scope of their own, without indentation."""
    text = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _SCRIPTS)
    lines = (line.strip() for line in text.splitlines())
    return '(() => {\n"use strict";\n' + "\n".join(line for line in lines if line and not line.startswith("//")) + "\n})();"
