from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives.nouns import ArchiveError
from archives.sqlite.typed import LARGEST, fields, lenient, noun, nouns
from fitness.nouns import Status


@dataclass(frozen=True)
class Kept:
    """One field of each type that archives keep."""

    name: str
    number: int
    fitness: float
    gain: float | None
    status: Status
    parents: tuple[str, ...]
    measures: dict[str, float]


GOOD = ("one", 3, 0.5, None, "OK", '["a", "b"]', '{"size": 8.0}')
NUMBERS = st.one_of(st.integers(-5, 5), st.floats(allow_nan=False), st.just(1e16), st.none())
HELD = st.one_of(NUMBERS, st.text(max_size=3), st.sampled_from(['["a"]', "[1]", "[]", "{}", '{"a": 1}', "[", "OK", "LOST"]))


def row_by_row(rows: list[tuple[object, ...]]) -> list[Kept] | str:
    try:
        return [noun(Kept, dict(zip(fields(Kept).split(", "), row))) for row in rows]
    except ArchiveError as error:
        return str(error)


@given(
    st.lists(
        st.tuples(*(st.one_of(st.just(one), HELD) for one in GOOD)) | st.just(GOOD),
        max_size=4,
    )
)
def test_columns_say_what_rows_say(rows: list[tuple[object, ...]]) -> None:
    wanted = row_by_row(rows)
    if isinstance(wanted, list):
        read = list(nouns(Kept, rows))
        assert read == wanted
        assert [list(map(type, vars(one).values())) for one in read] == [list(map(type, vars(one).values())) for one in wanted]
    else:
        with pytest.raises(ArchiveError, match="tampered"):
            nouns(Kept, rows)


def test_one_wrong_value_among_many_is_named() -> None:
    with pytest.raises(ArchiveError, match="fitness = 'high', which is no float"):
        nouns(Kept, [GOOD, GOOD, (*GOOD[:2], "high", *GOOD[3:]), GOOD])


@dataclass(frozen=True)
class Shown:
    """One field of each type that pages show, and one that may have no column."""

    name: str
    number: int
    fitness: float
    gain: float | None
    island: int | None
    note: str = "as it was"


def test_what_is_shown_is_read_leniently() -> None:
    wrong = {"name": None, "number": "many", "fitness": None, "gain": 2 * LARGEST, "island": 0.5, "other": 1}
    assert lenient(Shown, wrong) == Shown("", 0, 0.0, None, None)
    right = {"name": 5, "number": 3, "fitness": 1, "gain": 0.25, "island": 2, "note": "new"}
    assert lenient(Shown, right) == Shown("5", 3, 1.0, 0.25, 2, "new")
    assert lenient(Shown, right, number=7).number == 7


def test_a_column_that_is_needed_and_missing_is_an_error_of_ours() -> None:
    with pytest.raises(TypeError, match="gain"):
        lenient(Shown, {"name": "one", "number": 1, "fitness": 0.5, "island": None})
