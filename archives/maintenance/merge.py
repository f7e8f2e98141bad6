"""Merges several runs of one task into one archive: every method once, and in each cell the fitter elite."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from archives.archive import Archive
from archives.nouns import ArchiveError, Elite, Row, RunRecord
from archives.sqlite.typed import value

_ENDED = ("done", "refused", "unanswered")
_CUT = "it was under way when its run was merged into this one"


def merge(sources: Sequence[Archive], path: Path, blank: RunRecord) -> None:
    """Write the archive of several runs; `blank` says its name, when it was made, and by which version.

    Proposals and evaluations are numbered anew, run by run: an event says which were whose. Its journal is empty, as no replay
    could repeat it, and it has no champion: the runs' verdicts stay as notes. Raises ArchiveError when the runs' scores are
    not to be compared.
    """
    runs = [source.run() for source in sources]
    _check(sources, runs)
    merged = Archive.create(path)
    try:
        with merged.transaction():
            merged.add_run(_run(runs, blank))
            for source, run in zip(sources, runs):
                with source.transaction():
                    _add(merged, source, run)
    finally:
        merged.close()


def _check(sources: Sequence[Archive], runs: Sequence[RunRecord]) -> None:
    """Raise ArchiveError for runs whose scores mean different things."""
    first = runs[0]
    for source, run in zip(sources[1:], runs[1:]):
        for what, ours, theirs in (
            ("task", f"{first.task} {first.task_version}", f"{run.task} {run.task_version}"),
            ("vault", first.vault, run.vault),
            ("search domain", _domains(first), _domains(run)),
        ):
            if ours != theirs:
                raise ArchiveError(
                    f"{source.path} cannot be merged with {sources[0].path}: its {what} is {theirs}, not {ours}, "
                    "so their scores are not to be compared"
                )
        if run.grid != first.grid:
            raise ArchiveError(
                f"{source.path} cannot be merged with {sources[0].path}: its grid has other cells; "
                "`python -m evolve archive regrid` gives both the same"
            )


def _config(run: RunRecord) -> dict[str, object]:
    """Return a run's configuration. Raises ArchiveError when it cannot be read."""
    found: object = None
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(run.config)
    if not isinstance(found, dict):
        raise ArchiveError(f"the configuration of the run {run.id[:40]} cannot be read: it is damaged or was tampered with")
    return found


def _domains(run: RunRecord) -> str:
    found = _config(run).get("domain")
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found)


def _run(runs: Sequence[RunRecord], blank: RunRecord) -> RunRecord:
    """Return the record of the merged run: the first run's settings, with the evaluations and hours of all."""
    evals = [_config(run).get("evals") for run in runs]
    total = {"evals": sum(number for number in evals if isinstance(number, int))}
    return replace(
        runs[0],
        id=blank.id,
        created=blank.created,
        evolve_version=blank.evolve_version,
        config=json.dumps(_config(runs[0]) | total),
        state="finished",
        champion="",
        human_best="",
        verdict="",
        level=max(run.level if run.level in "ABC" else "none" for run in runs),
        tried=sum(run.tried for run in runs),
        inflation=None,
        seconds=sum(run.seconds for run in runs),
        engine_seconds=sum(run.engine_seconds for run in runs),
    )


def _add(merged: Archive, source: Archive, run: RunRecord) -> None:
    """Add a run's rows, with its numbers moved behind those that are there."""
    proposals, evaluations = _last(merged, "proposals"), _last(merged, "evaluations")
    moved = {"proposal": proposals, "fixes": proposals, "evaluation": evaluations}
    known = {_key(row) for row in merged.rows("select * from evaluations where proposal is null")}

    for row in source.rows("select rowid, * from directions order by rowid"):
        if not merged.rows("select 1 from directions where name = ?", [row["name"]]):
            _insert(merged, "directions", row, {})  # its proposal is not there yet
    _methods(merged, source)
    for row in source.rows("select * from proposals order by id"):
        ended = {} if row["state"] in _ENDED else {"state": "unanswered", "reason": _CUT, "worst_tokens": 0, "worst_usd": None}
        _insert(merged, "proposals", {**row, **ended}, {**moved, "id": proposals})
    for row in source.rows("select name, proposal from directions where proposal is not null"):
        number = value(row, "proposal", int) + proposals
        merged._db.execute("update directions set proposal = ? where name = ? and proposal is null", [number, row["name"]])
    again = set()
    for row in source.rows("select * from evaluations order by id"):
        if row["proposal"] is None and _key(row) in known:
            again.add(row["id"])
        else:
            _insert(merged, "evaluations", row, {**moved, "id": evaluations})
    for row in source.rows("select * from trials order by evaluation, place"):
        if row["evaluation"] not in again:
            _insert(merged, "trials", row, moved)
    for table in ("spend", "experiments", "probes", "looks", "reviews", "events", "findings"):
        for row in source.rows(f"select * from {table} order by rowid"):
            theirs = {"kind": "note", "text": f"{run.id}: {row['text']}"} if row.get("kind") == "verdict" else {}
            _insert(merged, table, {name: held for name, held in {**row, **theirs}.items() if name != "id"}, moved)
    for elite in source.elites():
        if not merged.rows("select 1 from methods where id = ? and flags != ''", [elite.method]):
            merged.place(Elite(elite.island, elite.cell, elite.method, elite.fitness))
    after = _last(merged, "proposals")
    numbers = f"proposals {proposals + 1} to {after} are its 1 to {after - proposals}" if after > proposals else "no proposals"
    merged.event("merge", f"the run {run.id} of {run.created}, started with seed {run.seed}: {numbers}")


def _methods(merged: Archive, source: Archive) -> None:
    """Add methods that are not there; one that either run flagged is flagged, and leaves the grid."""
    for row in source.rows("select * from methods order by rowid"):
        there = merged.rows("select flags from methods where id = ?", [row["id"]])
        if not there:
            _insert(merged, "methods", row, {})
        elif row["flags"]:
            flags = dict.fromkeys([*str(there[0]["flags"]).split(), *str(row["flags"]).split()])
            merged.update("methods", "id", row["id"], {"flags": " ".join(flags)})
            merged._db.execute("delete from elites where method = ?", [row["id"]])


def _insert(merged: Archive, table: str, row: Row, moved: Mapping[str, int]) -> None:
    held = {
        name: value(row, name, int) + moved[name] if name in moved and row[name] is not None else row[name]
        for name in row
        if name != "rowid" and not (table == "directions" and name == "proposal")
    }
    merged.insert(table, held)


def _last(archive: Archive, table: str) -> int:
    return value(archive.rows(f"select coalesce(max(id), 0) as last from {table}")[0], "last", int)  # type: ignore[no-any-return]


def _key(row: Row) -> tuple[object, ...]:
    """Return what makes an evaluation of a baseline the same in two runs: in one vault its scores are."""
    return tuple(row[name] for name in ("method", "domain", "split", "status", "fitness", "pgr", "trials"))
