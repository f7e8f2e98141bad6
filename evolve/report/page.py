"""The report as one self-contained HTML page: inline style and pictures, no script, no outside asset."""

from __future__ import annotations

import secrets
from pathlib import Path

from archives.archive import Archive
from evolve import __version__
from evolve.errors import UsageError
from evolve.report import search, sections
from evolve.report.data import Report, collect
from evolve.report.header import header, headline
from evolve.report.markup import Safe, tag
from evolve.report.style import style_sheet

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render(report: Report) -> str:
    """Return the page."""
    linked = {row.method for row in report.leaderboard}
    parts = {
        "result": ("Result", sections.final_section(report, linked)),
        "curve": ("PGR so far", sections.curve_section(report)),
        "grid": ("Grid", sections.grid_section(report, linked)),
        "lineage": ("Lineage", sections.lineage_section(report, linked)),
        "changes": ("What changed", sections.changes_section(report)),
        "leaderboard": ("Leaderboard", sections.leaderboard_section(report)),
        "search": ("Search", search.search_section(report)),
        "failures": ("Failures", search.failures_section(report)),
        "costs": ("Costs", search.costs_section(report)),
    }
    shown = {name: part for name, part in parts.items() if part[1]}
    contents = tag("ul", *(tag("li", tag("a", title, href=f"#{name}")) for name, (title, _) in shown.items()))
    body = tag(
        "body",
        tag("a", "Skip to the result", href="#result", class_="skip"),
        header(report),
        tag("nav", contents, aria_label="Sections"),
        tag("main", *(part for _, part in shown.values())),
        tag("footer", tag("h2", "Words"), search.glossary(), tag("p", _colophon(report))),
    )
    return f"<!doctype html>\n{tag('html', _head(report), body, lang='en')}\n"


def write_report(archive: Archive, path: Path, *, alive: bool = False) -> Path:
    """Write the page about a run; `alive`: whether its process still works. Raises UsageError when it cannot be written."""
    return write_text(path, render(collect(archive, alive=alive)))


def write_text(path: Path, text: str) -> Path:
    """Write a text file in one step. Raises UsageError when it cannot be written."""
    return write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file in one step, so that a reader never sees half of it. Raises UsageError when it cannot be written."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")  # a name nobody can have put a link at
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("xb") as file:
                file.write(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; choose another place with --out") from error
    return path


def _head(report: Report) -> Safe:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{report.standing.run}: {headline(report)}"),
        tag("style", Safe(style_sheet())),
    )


def _colophon(report: Report) -> str:
    name = Path(report.standing.db).name
    return f"Written by evolve {__version__} from {name}, an SQLite file that holds all of this and more."
