"""Reads and writes one run's archive: one writer, any number of readers, every record in one transaction."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from archives.ledger import Ledger, reserved
from archives.nouns import ArchiveError, Elite, MethodRecord, Placement, ProposalRecord, Row, RunRecord, Usage
from archives.schema.version import bring_up_to_date
from archives.sqlite import place
from archives.sqlite.connection import connect, connect_to_read, sentences
from archives.sqlite.typed import fields, maybe_real, noun, value
from archives.trials import trial, trial_row
from fitness.nouns import Direction, Evaluation, Finding, Interval, Split, Status, Trial, Verdict

_FLAGS = (
    "select id, flags from methods m where flags != '' and coalesce("
    "(select verdict from reviews where method = m.id order by id desc limit 1), '') != 'approved'"
)
_CONTESTED = (
    "select m.id from methods m where exists (select 1 from probes p where p.method = m.id and p.split = 'fresh' "
    "and p.verdict in ('FAILED', 'CONTESTED')) order by "
    "(select max(fitness) from evaluations e where e.method = m.id and e.split = 'dev') desc, m.id"
)
_PLACE = """
insert into elites (island, cell, method, fitness) values (?, ?, ?, ?)
on conflict (island, cell) do update set method = excluded.method, fitness = excluded.fitness, placed = current_timestamp
where excluded.fitness > elites.fitness
"""
_FREE = Usage()


class Archive(Ledger):
    """One run's SQLite file."""

    @classmethod
    def create(cls, path: Path) -> Archive:
        """Create a new archive. Raises ArchiveError when something is there, or it cannot be written."""
        from archives.schema.migrations import migrate

        with sentences(path):
            try:
                place.make_folder(path.parent)
                place.create(path)
            except OSError as error:
                raise ArchiveError(f"cannot create {path}: {error.strerror}; choose another place with --db") from error
            try:
                archive = cls(connect(path), path)
                archive._db.execute("pragma journal_mode = wal")
                migrate(archive._db)
            except BaseException:
                place.remove(path)
                raise
            return archive

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> Archive:
        """Open an archive, read-only unless `write`. Raises ArchiveError when it is missing, damaged, or of a newer version."""
        if not path.is_file():
            raise ArchiveError(f"there is no archive at {path}")
        with sentences(path):
            db = connect(path) if write else connect_to_read(path)
            bring_up_to_date(db, path, write=write)
            db.execute("select count(*) from evaluations").fetchone()
            return cls(db, path)

    # the run

    def add_run(self, run: RunRecord) -> None:
        """Store the run this file is about."""
        self.insert("runs", vars(run))

    def run(self) -> RunRecord:
        """Return the run this file is about. Raises ArchiveError when there is none."""
        rows = self.rows("select * from runs limit 1")
        if not rows:
            raise ArchiveError(f"{self.path} holds no run: its start was cut off before the first record; start a new one")
        run = noun(RunRecord, rows[0])
        by_hand = "select 1 from methods where id = ? and origin in ('seed', 'added')"
        if run.champion and self.rows(by_hand, [run.champion]):  # earlier versions named one where nothing was bred
            return replace(run, champion="", human_best="", verdict="", tried=0, inflation=None)
        return run

    def update_run(self, **fields: object) -> None:
        """Change fields of the run."""
        self.update("runs", "id", self.run().id, fields)

    def add_direction(self, direction: Direction, proposal: int | None = None) -> None:
        """Store a direction, once, and the proposal that made it."""
        row = vars(direction) | {"focus": json.dumps(direction.focus), "proposal": proposal}
        self.insert("directions", row, ignore=True)

    def directions(self) -> list[Direction]:
        """Return directions, oldest first."""
        return self.nouns(Direction, "directions order by rowid")

    def made_directions(self) -> dict[int, Direction]:
        """Return the directions that proposals made, by proposal."""
        rows = self.rows(f"select proposal, {fields(Direction)} from directions where proposal is not null order by rowid")
        return {value(row, "proposal", int): noun(Direction, row) for row in rows}

    def judged(self) -> int:
        """Return how many bred methods have been judged."""
        made = "select id from proposals where method is not null"  # by their indices: a proposal's row is pages long
        row = self.rows(f"select count(*) as n from proposals where state = 'done' and id in ({made})")[0]
        return int(str(row["n"]))

    def judged_trials(self) -> int:
        """Return how many dev trials bred methods have had."""
        rows = self.rows("select coalesce(sum(trials), 0) as n from evaluations where split = 'dev' and proposal is not null")
        return int(str(rows[0]["n"]))

    def anchors(self, split: Split, domain: str) -> Row:
        """Return the mean `floor` and `ceiling` of a domain's trials; both are None before there is any."""
        means = "select avg(weak_acc) as floor, avg(strong_acc) as ceiling from trials where split = ? and domain = ?"
        return self.rows(means, [split, domain])[0]

    def add_method(self, method: MethodRecord) -> None:
        """Store a method, once."""
        row = vars(method) | {"constants": json.dumps(method.constants), "sketch": json.dumps(method.sketch)}
        self.insert("methods", row, ignore=True)

    def methods(self, where: str = "1") -> list[MethodRecord]:
        """Return methods, oldest first."""
        return self.nouns(MethodRecord, f"methods where {where} order by rowid")

    def add_proposal(self, proposal: ProposalRecord, worst: Usage = _FREE) -> None:
        """Store a proposal from the moment it was chosen, with the worst case that was reserved for its first call."""
        lists = {name: json.dumps(getattr(proposal, name)) for name in ("parents", "inspirations")}
        self.insert("proposals", vars(proposal) | lists | reserved(worst))

    def set_proposal_state(self, proposal: int, state: str, **fields: object) -> None:
        """Move a proposal to its next state."""
        self.update("proposals", "id", proposal, {"state": state, **fields})

    def proposals(self, where: str = "1", values: Sequence[object] = ()) -> list[ProposalRecord]:
        """Return proposals in order."""
        return self.nouns(ProposalRecord, f"proposals where {where} order by id", values)

    # scores

    def add_evaluation(
        self, evaluation: Evaluation, proposal: int | None, domain: str, split: Split, interval: Interval | None
    ) -> None:
        """Store a judged method and all its trials."""
        low, high = interval.ends if interval else (None, None)
        row = {
            "method": evaluation.method,
            "proposal": proposal,
            "domain": domain,
            "split": split,
            "status": evaluation.status,
            "fitness": evaluation.fitness,
            "pgr": evaluation.pgr if evaluation.status is Status.OK else None,
            "pgr_low": low,
            "pgr_high": high,
            "trials": len(evaluation.trials),
            "measures": json.dumps(dict(evaluation.measures)),
            "seconds": evaluation.seconds,
            "message": evaluation.message,
        }
        with self.transaction():
            key = self.insert("evaluations", row)
            places = enumerate(evaluation.trials)
            self.insert_all("trials", [{"evaluation": key, "place": place, **trial_row(trial)} for place, trial in places])
            if evaluation.findings:
                self.add_findings(evaluation.method, evaluation.trials[0], evaluation.findings)

    def evaluations(self, split: Split | None = None, method: str | None = None) -> list[Row]:
        """Return evaluations, oldest first, of one split and one method when they are named."""
        where, values = "1", list[object]()
        for column, wanted in (("split", split), ("method", method)):
            if wanted is not None:
                where, values = f"{where} and {column} = ?", [*values, wanted]
        return self.rows(f"select * from evaluations where {where} order by id", values)

    def trials(self, method: str, split: Split, domain: str) -> list[Trial]:
        """Return the trials of a method's newest evaluation on a split of a domain, in the order they ran."""
        rows = self.rows(
            "select t.* from trials t where evaluation = "
            "(select max(id) from evaluations where method = ? and split = ? and domain = ?) order by place",
            [method, split, domain],
        )
        task = self.run().task
        return [trial(row, method, task) for row in rows]

    def all_trials(self, split: Split) -> list[Trial]:
        """Return the trials of every evaluation on a split, in the order they were recorded."""
        rows = self.rows(
            "select t.*, e.method from trials t join evaluations e on e.id = t.evaluation where e.split = ? "
            "order by t.evaluation, t.place",
            [split],
        )
        task = self.run().task
        return [trial(row, value(row, "method", str), task) for row in rows]

    def add_findings(self, method: str, trial: Trial, findings: Sequence[Finding]) -> None:
        """Store what probes found; a method that failed one is flagged, and leaves the grid.

        A finding that does not say where it was made comes from the instance of the trial.
        """
        place = {"method": method, "domain": trial.domain, "split": trial.split, "instance": trial.instance}
        with self.transaction():
            said = ({key: value for key, value in vars(finding).items() if value not in ("", None)} for finding in findings)
            empty = dict.fromkeys(("number", "threshold")) | {"sentence": ""}
            self.insert_all("probes", [empty | place | one for one in said])
            known = str(self.rows("select flags from methods where id = ?", [method])[0]["flags"])
            failed = [finding.probe for finding in findings if finding.verdict is Verdict.FAILED]
            flags = dict.fromkeys([*known.split(), *failed])
            self.update("methods", "id", method, {"flags": " ".join(flags)})
            if flags:
                self._db.execute("delete from elites where method = ?", [method])

    def findings(self, method: str, split: Split | None = None) -> list[Finding]:
        """Return what probes found of a method, on one split when it is named, oldest first."""
        where, values = ("and split = ?", [split]) if split else ("", [])
        return self.nouns(Finding, f"probes where method = ? {where} order by id", [method, *values])

    def flags(self) -> dict[str, str]:
        """Return the names of the probes that failed each method that any did, unless its last review has approved of it."""
        return {str(row["id"]): str(row["flags"]) for row in self.rows(_FLAGS)}

    def flagged(self) -> set[str]:
        """Return the ids of methods whose flags stand."""
        return set(self.flags())

    def contested(self) -> list[str]:
        """Return the ids of methods that a probe failed on an instance that selection never saw, the fittest first."""
        return [str(row["id"]) for row in self.rows(_CONTESTED)]

    def pair(self, one: str, other: str) -> tuple[float | None] | None:
        """Return what a method adds to one, None in a tuple where nobody knew; None for a pair that was never asked about."""
        rows = self.rows("select adds from pairs where one = ? and other = ?", [one, other])
        return (maybe_real(rows[0], "adds"),) if rows else None

    def add_pairs(self, one: str, others: Iterable[tuple[str, float | None]]) -> None:
        """Store what methods add to one, each once."""
        for other, adds in others:
            self.insert("pairs", {"one": one, "other": other, "adds": adds}, ignore=True)

    # the grid

    def place(self, elite: Elite) -> Placement:
        """Offer a method to its cell; it is placed when the cell is empty or its elite is less fit."""
        with self.transaction():
            known = self._db.execute(
                "select 1 from elites where island = ? and cell = ?", [elite.island, elite.cell]
            ).fetchone()
            cursor = self._db.execute(_PLACE, [elite.island, elite.cell, elite.method, elite.fitness])
        if cursor.rowcount == 0:
            return Placement.REJECTED
        return Placement.IMPROVED if known else Placement.NEW

    def elites(self) -> list[Elite]:
        """Return every elite, by island and cell."""
        return self.nouns(Elite, "elites order by island, cell")

    def replace_elites(self, elites: Sequence[Elite]) -> None:
        """Empty every island's grid and fill it with other elites."""
        with self.transaction():
            self._db.execute("delete from elites")
            self.insert_all("elites", [vars(elite) for elite in elites])

    def clear_island(self, island: int) -> None:
        """Empty an island's grid (its methods stay in the archive)."""
        with self.transaction():
            self._db.execute("delete from elites where island = ?", [island])


def holds_no_run(path: Path) -> bool:
    """Tell whether a file is an archive in which no run has begun: its start was cut off before the first record."""
    if path.is_symlink() or not path.is_file():
        return False
    with contextlib.suppress(ArchiveError), contextlib.closing(Archive.open(path)) as archive:
        return not archive.rows("select 1 from runs limit 1")
    return False
