"""Turns trials into the columns of their table, or into JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence

from archives.nouns import ArchiveError, Row
from archives.sqlite.typed import noun, value
from fitness.nouns import Score, Status, Trial

SCORE_COLUMNS = {"value": "transfer_acc", "floor": "weak_acc", "ceiling": "strong_acc"}  # of trials: fields of a score


def trial_row(trial: Trial) -> dict[str, object]:
    """Return the columns of a trial."""
    fields = vars(trial.score) if trial.score else dict.fromkeys(Score.__dataclass_fields__)
    score = {SCORE_COLUMNS.get(name, name): number for name, number in fields.items()}
    place = {"domain": trial.domain, "instance": trial.instance, "split": trial.split}
    end = {"measures": json.dumps(dict(trial.measures)), "seconds": trial.seconds, "message": trial.message}
    told = {name: json.dumps(dict(found)) for name, found in (("notes", trial.notes), ("errors", trial.errors))}
    return {**place, "status": trial.status, **score, **end, **told}


def trial(row: Row, method: str, task: str) -> Trial:
    """Return the trial of a method in a row. Raises ArchiveError for a value of another type."""
    given = (
        {name: value(row, column, float) for name, column in SCORE_COLUMNS.items()} if row.get("status") == Status.OK else {}
    )
    score = noun(Score, row, **given) if given else None
    return noun(Trial, row, method=method, task=task, score=score, said="", draw="", auc=None)


def as_json(trials: Sequence[Trial]) -> str:
    """Return trials as a JSON list of their columns."""
    return json.dumps([trial_row(one) for one in trials])


def from_json(text: str, method: str, task: str) -> tuple[Trial, ...]:
    """Return the trials of a method in a JSON list. Raises ArchiveError for a text that is none."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ArchiveError("the archive holds trials of an experiment that are no list: it is damaged or was tampered with")
    return tuple(trial(row, method, task) for row in rows)
