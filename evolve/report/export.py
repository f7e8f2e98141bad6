"""Writes methods as files that say where they came from in comments, so that each is still a valid method file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from archives.archive import Archive
from evolve import __version__
from evolve.files import beside, check_free, mark, write_text
from evolve.queries.leaderboard import ranking
from evolve.queries.method import MethodDetails, Parent, method_details
from evolve.queries.status import search_domain
from evolve.screening.screen import MAX_BYTES
from evolve.text import estimate, made_by, number, one_line, visible

_WIDTH = 110


@dataclass(frozen=True)
class Exported:
    """A method that was written to a file."""

    method: str
    file: Path


def write_best(archive: Archive, method_id: str, path: Path | None = None) -> Path:
    """Write a method with its provenance (default: beside the archive); return where. Raises UsageError when it cannot be."""
    key = archive.run().key
    return write_text(path or beside(archive.path, "-best.py", key), _written(archive, method_id), key)


def write_methods(archive: Archive, most: int, folder: Path | None = None) -> tuple[Exported, ...]:
    """Write the best bred methods, the champion first, as files of a folder (default: beside the archive)."""
    champion, key = archive.run().champion, archive.run().key
    folder = folder or beside(archive.path, "-methods", key)
    rows = ranking(archive, most, "l.origin not in ('seed', 'added')")
    order = dict.fromkeys([*([champion] if champion else []), *(row.method for row in rows)])
    written = []
    for at, method in enumerate(list(order)[:most], 1):
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", method_details(archive, method).label)[:40]
        written.append(Exported(method, folder / f"{at:02d}-{name}.py"))
    check_free([line.file for line in written], key)
    for line in written:
        write_best(archive, line.method, line.file)
    return tuple(written)


def _written(archive: Archive, method_id: str) -> str:
    """Return a method as the text of a file."""
    facts = method_details(archive, method_id)
    source = visible(facts.source.removeprefix("\ufeff"))  # an archive of an earlier version may hold what nobody sees
    text = f"{header(archive, facts)}\n{source.rstrip()}\n"
    return text if len(text.encode()) <= MAX_BYTES else source  # the screen takes no larger files


def header(archive: Archive, facts: MethodDetails) -> str:
    """Return the provenance of a method as comment lines; untrusted text is cleaned and never on the first two lines."""
    run, row, birth = archive.run(), facts.ranked, facts.birth
    lines = [("method", facts.method), ("name", f"{facts.label}, {facts.origin}")]
    lines.append(("run", f"{run.id} of {run.created}, seed {run.seed}, evolve {run.evolve_version}"))
    lines.append(("task", f"{run.task} {run.task_version}, searched on {search_domain(archive, run)}, vault {run.vault}"))
    if row is not None:
        lines.append(
            ("dev", f"PGR {estimate(row.pgr, row.pgr_low, row.pgr_high, row.instances)}, fitness {number(row.fitness)}")
        )
    if row is not None and row.fresh_pgr is not None:
        lines.append(("fresh", f"PGR {estimate(row.fresh_pgr, row.fresh_low, row.fresh_high, row.fresh_instances)}"))
    if birth is not None:
        lines.append(("made by", made_by(birth.operator, birth.model)))
        lines.append(("parents", ", ".join(_parent(parent) for parent in birth.parents)))
        lines += [("direction", birth.direction), ("idea", birth.idea)]
    lines.append(("date", facts.created))
    if facts.method == run.champion and run.verdict:
        lines.append(("verdict", run.verdict))
    written = [f"# {name + ':':<11}{one_line(text, 0 if name == 'parents' else _WIDTH + 40)}" for name, text in lines if text]
    return "\n".join([f"# A method exported by evolve {__version__} ({mark(run.key)}).", *written, ""])


def _parent(parent: Parent) -> str:
    named = parent.name and not parent.method.startswith(parent.name)
    return f"{parent.method} ({parent.name})" if named else parent.method
