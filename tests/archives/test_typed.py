from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives.nouns import ArchiveError
from archives.sqlite.typed import fields, noun, nouns
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
