"""Reads all that one page shows, from an archive at one moment: the report, every method, and pages of the best of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from archives.archive import Archive
from archives.history import History, Point, progress
from evolve.grids import grid_of
from evolve.queries.changes import change
from evolve.queries.costs import Spending, spending
from evolve.queries.leaderboard import DomainScores, LeaderboardRow, domain_scores, ranking
from evolve.queries.method import method_details
from evolve.queries.run_report import Report, collect
from evolve.report.html.markup import Safe
from evolve.report.html.method import method_page
from evolve.report.html.parts import anchor
from fitness.nouns import EvolveError

ROOM = 2_500_000  # bytes of method pages in a file that holds them all
LONGEST_INSIDE = 5_000  # characters of one text in such a file
LONGEST_ALONE = 400_000  # characters of one text of a page that is asked for alone


@dataclass(frozen=True)
class View:
    """What a page is made of.

    Attributes:
        methods: everything that was judged OK, the fittest first.
        pages: pages of methods by their anchors; empty when `live`, where each is asked for when it is opened.
        system: the system prompt of the run's model calls.
        progress: coverage and QD-score of the grid over all islands, after each evaluation that changed it.
    """

    report: Report
    methods: tuple[LeaderboardRow, ...]
    domains: DomainScores
    spending: tuple[Spending, ...]
    system: str
    progress: tuple[Point, ...]
    pages: Mapping[str, Safe]
    live: bool = False


def view(archive: Archive, *, alive: bool, live: bool = False) -> View:
    """Read a page's data in one transaction; `alive`: whether a process works on the run; `live`: for the server."""
    with archive.transaction():
        methods = ranking(archive)
        report = collect(archive, alive=alive, methods=methods)
        return View(
            report=report,
            methods=methods,
            domains=domain_scores(archive, report.standing.domain),
            spending=spending(archive),
            system=archive.run().system,
            progress=_progress(archive),
            pages={} if live else _pages(archive, _worth_a_page(report, methods), {row.method: row for row in methods}),
            live=live,
        )


def _progress(archive: Archive) -> tuple[Point, ...]:
    """Return the grid's series; nothing where the task, or what was recorded, is not known here."""
    try:
        grid = grid_of(archive)
        return progress(History(archive, grid), grid.cells).get(None, ())
    except EvolveError:
        return ()


def page_of(archive: Archive, method: str, ranked: LeaderboardRow | None, longest: int = LONGEST_ALONE) -> Safe:
    """Return a method's page. Raises ArchiveError when the archive does not hold the method."""
    facts = replace(method_details(archive, method, ranked=False), ranked=ranked)
    parents = facts.birth.parents if facts.birth else ()
    known = parents and archive.rows("select 1 from methods where id = ?", [parents[0].method])
    return method_page(facts, change(archive, parents[0].method, method) if known else None, longest)


def _worth_a_page(report: Report, methods: Iterable[LeaderboardRow]) -> Iterable[str]:
    """Yield the methods whose pages a reader opens first: the champion's line, the elites, the best, examples of failures."""
    yield from (ancestor.method for ancestor in (report.lineage.spine() if report.lineage else ()))
    yield from (row.method for row in report.baselines[:3])
    yield from (line.method for line in report.failures if line.method)
    for heat in report.maps:
        yield from (square.method for square in heat.squares)
    yield from (row.method for row in methods)


def _pages(archive: Archive, wanted: Iterable[str], ranked: Mapping[str, LeaderboardRow]) -> dict[str, Safe]:
    """Return pages in the order they are wanted, as many as there is room for."""
    pages: dict[str, Safe] = {}
    room = ROOM
    for method in dict.fromkeys(wanted):
        if not archive.rows("select 1 from methods where id = ?", [method]):
            continue  # what names it was tampered with
        page = page_of(archive, method, ranked.get(method), LONGEST_INSIDE)
        room -= len(json.dumps(page))
        if room < 0:
            break
        pages[anchor(method)] = page
    return pages
