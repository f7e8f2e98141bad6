"""One arena and one warm sandbox a level for all attacks, and the table that says which of them were contained."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from fitness.sandbox.doctor import diagnose
from fitness.sandbox.sandbox import Sandbox
from tests.security.attacks.arena import Arena


@pytest.fixture(scope="session")
def reached() -> tuple[str, ...]:
    return {"A": ("A", "B"), "B": ("B",)}.get(diagnose().level, ())


@pytest.fixture(scope="session")
def arena() -> Iterator[Arena]:
    with tempfile.TemporaryDirectory(prefix="evolve-arena-") as place:
        found = Arena(Path(place))
        yield found
        found.close()


@pytest.fixture(scope="session")
def sandboxes(arena: Arena, reached: tuple[str, ...]) -> Iterator[Mapping[str, Sandbox]]:
    """A warm sandbox for each level this machine reaches, started by a process that holds secrets."""
    with ExitStack() as stack:
        yield {level: stack.enter_context(Sandbox(level)) for level in reached}


@pytest.fixture(scope="session")
def screen() -> Iterator[Screen]:
    with WorkerProcess() as syntax:
        yield Screen(syntax)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    for report in reports:
        for key, value in report.user_properties:
            if key == "attack":
                script, column, evidence = value
                found[script][column] = evidence
    if found:
        for line in table(found, terminalreporter.verbosity >= 0):
            terminalreporter.write_line(line)


def table(found: Mapping[str, Mapping[str, str]], every: bool) -> list[str]:
    """Return the lines of the summary: every attack, or those that got through a wall, and how many were contained."""
    columns = [c for c in ("plain", "B", "A") if any(c in row for row in found.values())]
    lines = [f"{'attack':<42}" + "".join(f"{column:<16}" for column in columns)]
    for script, row in sorted(found.items()):
        words = ["" if c not in row else "NOT contained" if row[c] else "contained" for c in columns]
        if every or any(row.get(level) for level in ("A", "B")):
            lines.append(f"{script:<42}" + "".join(f"{word:<16}" for word in words) + next(filter(None, row.values()), ""))
    for kind in [*sorted({script.split("/")[0] for script in found}), ""]:
        rows = [row for script, row in found.items() if script.startswith(kind + "/" if kind else "")]
        counts = [f"{sum(not row[c] for row in rows if c in row)} of {sum(c in row for row in rows)}" for c in columns]
        lines.append(f"{kind or 'all':<30}{'contained:':<12}" + "".join(f"{count:<16}" for count in counts))
    return lines
