"""What ablations tell is counted: once for a table, beside the card of a method with the same source."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archives.archive import Archive
from archives.nouns import ExperimentRecord, MethodRecord, RunRecord
from evolve.prompting.ablations import BITS
from evolve.prompting.cards import bits
from evolve.prompting.disclosure import Disclosure
from evolve.queries.disclosed import disclosed
from fitness.nouns import Evaluation, Split, Status, Trial
from fitness.pgr import score

RECORD = MethodRecord("record", "x", 9, "record", "search", "s", (), (1,) * 64)
CHILD = MethodRecord("child", "y", 9, "child", "search", "t", (), (1,) * 64)


def trials(method: str, pgr: float) -> tuple[Trial, ...]:
    one = score(0.6 + 0.3 * pgr, 0.6, 0.9, 1000)
    return tuple(Trial(method, "t", "chat", i, Split.DEV, Status.OK, one, {}, 1.0) for i in range(4))


def experiment(method: str, pgr: float) -> ExperimentRecord:
    return ExperimentRecord(7, "record", f"about {method}", method, "", Status.OK, "", trials(method, pgr)[:2])


TRIED = (experiment("record", 0.5), experiment("child", 0.2), experiment("other", 0.5))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """A run whose method "child" was a variant of the record, too."""
    with closing(Archive.create(tmp_path / "run.db")) as made:
        made.add_run(RunRecord("r", "now", "t", "1", "v", "{}", 0, "running", "B", "0"))
        for method, pgr in ((RECORD, 0.5), (CHILD, 0.2)):
            made.add_method(method)
            made.add_evaluation(Evaluation(method.id, trials(method.id, pgr), Status.OK, pgr), None, "chat", Split.DEV, None)
        yield made


def test_a_table_of_ablations_counts_once_for_all_who_see_it_beside_the_cards(archive: Archive) -> None:
    ledger = Disclosure(archive, ("chat",))
    ledger.prompted("a model", 8, [(CHILD, None)])
    for model in ("a model", "a model", "another"):
        ledger.parts_prompted(model, 7, "record", TRIED)
    assert len(archive.looks("why like 'the ablations of proposal 7'")) == 4, "each model looks once at each row"
    found = disclosed(archive, "card")
    assert found is not None
    assert found.scores == 3, "the row about the child tells another thing than its card"
    assert found.bits == pytest.approx(bits(0) + 2 * BITS)


def test_a_row_carries_no_more_than_the_number_of_rows_that_there_can_be() -> None:
    rounded = {round(step / 20, 2) for step in range(-40, 41)}
    assert pytest.approx(math.log2(len(rounded) + 1)) == BITS


def test_a_session_that_goes_on_does_not_enter_the_same_table_again(archive: Archive) -> None:
    for _ in range(2):
        Disclosure(archive, ("chat",)).parts_prompted("a model", 7, "record", TRIED)
    assert len(archive.looks("who = 'a model'")) == 2
    Disclosure(archive, ("chat",)).parts_prompted("a model", 9, "record", TRIED)
    found = disclosed(archive, "card")
    assert found is not None
    assert found.scores == 4, "the table of another proposal tells of other runs"


def test_a_variant_that_was_tried_and_a_method_with_its_source_count_as_two(archive: Archive) -> None:
    ledger = Disclosure(archive, ("chat",))
    ledger.prompted("a model", 8, [(CHILD, None)])
    ledger.tried("a model", 7, [experiment("child", 0.2)])
    found = disclosed(archive, "card")
    assert found is not None
    assert found.bits == pytest.approx(2 * bits(0))


def test_under_a_ladder_no_part_of_the_record_is_told(archive: Archive) -> None:
    assert Disclosure(archive, ("chat",), kind="ladder").parts(RECORD, TRIED, True) == ""
    assert "-0.30: about child" in Disclosure(archive, ("chat",)).parts(RECORD, TRIED, True)
