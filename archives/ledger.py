"""Stores what only grows: events, looks (scores that left the vault), model calls, experiments, and the journal of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from archives.nouns import CallRecord, Entry, ExperimentRecord, Look, Records, Usage
from archives.sqlite.connection import Connection
from archives.sqlite.typed import noun, value
from archives.trials import as_json, from_json
from fitness.nouns import Status

SPEND = ("model", "calls", "tokens_in", "tokens_out", "usd", "seconds", "cached", "reasoning")


def reserved(worst: Usage) -> dict[str, object]:
    """Return the columns that hold what is set aside for a call, or with no usage, that nothing is."""
    return {"worst_tokens": worst.tokens_in + worst.tokens_out, "worst_usd": worst.usd}


class Ledger(Connection):
    """The parts of an archive that only ever grow."""

    def event(
        self, kind: str, text: str, island: int | None = None, method: str | None = None, value: float | None = None
    ) -> None:
        """Store something that happened."""
        self.insert("events", {"kind": kind, "text": text, "island": island, "method": method, "value": value})

    def look(self, *looks: Look) -> None:
        """Store that scores left the vault."""
        self.insert_all("looks", [vars(look) for look in looks])

    def looks(self, where: str = "1", values: Sequence[object] = ()) -> list[Look]:
        """Return looks, oldest first."""
        return self.nouns(Look, f"looks where {where} order by id", values)

    # model calls

    @contextmanager
    def paid(self) -> Iterator[None]:
        """Group writes that record what was paid for: they are on the disk when the block ends."""
        self._db.execute("pragma synchronous = full")
        try:
            with self.transaction():
                yield
        finally:
            self._db.execute("pragma synchronous = normal")

    def add_calls(self, calls: Sequence[CallRecord]) -> None:
        """Store answered model calls, the moment they arrive; they are on the disk when this returns."""
        with self.paid():
            for call in calls:
                said = {"turn": call.turn, "reply": call.reply, "problem": call.problem}
                self.add_spend("model", call.usage, call.proposal, **said, **reserved(call.worst))

    def calls(self, proposal: int | None = None) -> list[CallRecord]:
        """Return the answered calls of one proposal, or of all, in order."""
        where, values = ("and proposal = ?", [proposal]) if proposal is not None else ("", [])
        columns = f"proposal, turn, reply, problem, {', '.join(SPEND)}"
        rows = self.rows(
            f"select {columns} from spend where kind = 'model' and proposal is not null {where} order by proposal, turn", values
        )
        return [noun(CallRecord, row, usage=noun(Usage, row), worst=Usage()) for row in rows]

    def counted(self) -> Usage:
        """Return what all calls count for the budget: what they cost, or the worst case where nobody knows."""
        row = self.rows(
            "select coalesce(sum(calls), 0) as calls, coalesce(sum(coalesce(usd, worst_usd, 0)), 0) as usd, "
            "coalesce(sum(coalesce(nullif(tokens_in + tokens_out, 0), worst_tokens)), 0) as tokens_in "
            "from spend where kind in ('model', 'lost')"
        )[0]
        return Usage("", value(row, "calls", int), value(row, "tokens_in", int), 0, value(row, "usd", float))

    def lose_calls(self) -> int:
        """Enter calls that were under way when the run was cut off as lost, at their worst case; return how many there are."""
        answered = "select proposal from spend where kind = 'model'"
        lost = f"from proposals where state = 'asked' and worst_tokens > 0 and id not in ({answered})"
        with self.transaction():
            count = int(str(self.rows(f"select count(*) as n {lost}")[0]["n"]))
            self._db.execute(
                "insert into spend (proposal, kind, model, calls, tokens_in, tokens_out, seconds, worst_tokens, worst_usd) "
                f"select id, 'lost', model, 1, 0, 0, 0, worst_tokens, worst_usd {lost}"
            )
            self._db.execute("update proposals set worst_tokens = 0, worst_usd = null where state = 'asked'")
        return count

    def add_spend(self, kind: str, usage: Usage, proposal: int | None, **fields: object) -> None:
        """Store a cost: of an answered call (`model`), or what one that was cut off may have cost at most (`lost`)."""
        self.insert("spend", {**vars(usage), "kind": kind, "proposal": proposal, **fields})

    # experiments

    def add_experiments(self, experiments: Sequence[ExperimentRecord]) -> None:
        """Store variants that were tried beside the search."""
        for one in experiments:
            pgrs = [trial.score.pgr for trial in one.trials if trial.score]
            known = {"pgr": sum(pgrs) / len(pgrs)} if one.status is Status.OK and pgrs else {}
            told = {"trials": as_json(one.trials), "seconds": sum(trial.seconds for trial in one.trials)}
            self.insert("experiments", {**vars(one), **known, **told})

    def experiments(self, where: str = "1", values: Sequence[object] = ()) -> list[ExperimentRecord]:
        """Return experiments, oldest first."""
        task = str(self.rows("select task from runs")[0]["task"])
        rows = self.rows(f"select * from experiments where {where} order by id", values)
        return [noun(ExperimentRecord, row, trials=from_json(str(row["trials"]), str(row["method"]), task)) for row in rows]

    def tried(self, where: str = "1") -> int:
        """Return on how many instances variants were run."""
        count = f"select coalesce(sum(json_array_length(trials)), 0) as n from experiments e where {where}"
        return value(self.rows(count)[0], "n", int)  # type: ignore[no-any-return]

    # what was paid for

    def keep(self, records: Records) -> None:
        """Store answered calls and experiments, the moment they arrive."""
        self.add_calls(records.calls)
        self.add_experiments(records.experiments)

    def records(self, proposal: int) -> Records:
        """Return the answered calls and the experiments of a proposal."""
        return Records(tuple(self.calls(proposal)), tuple(self.experiments("proposal = ?", [proposal])))

    # the journal

    def journal(self, step: str, proposal: int | None = None, *, method: str | None = None, config: str | None = None) -> None:
        """Store that a step of the search has ended (see Entry)."""
        self.insert("journal", {"step": step, "proposal": proposal, "method": method, "config": config})

    def entries(self) -> list[Entry]:
        """Return the journal, oldest first."""
        return self.nouns(Entry, "journal order by id")
