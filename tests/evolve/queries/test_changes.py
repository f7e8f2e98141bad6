"""Diffs of methods: as difflib writes them, and in bounded time whatever the two files hold."""

import random
import time
from difflib import unified_diff

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.queries import changes
from evolve.queries.changes import _unified

LINE = st.sampled_from(["a", "b", "c", "", "    d"])
SIZE = 27_000


@given(st.lists(LINE, max_size=30), st.lists(LINE, max_size=30))
def test_a_diff_is_what_difflib_writes(before: list[str], after: list[str]) -> None:
    assert list(_unified(before, after, "x", "y")) == list(unified_diff(before, after, "x", "y", lineterm=""))


def _made(kind: str, rng: random.Random) -> list[str]:
    """Return the lines of a file of 27 KB."""
    few = [f"x{n}" for n in range(120)]
    lines = {
        "few lines": lambda: [rng.choice(few) for _ in range(SIZE // 4)],
        "one letter": lambda: [rng.choice("ab") for _ in range(SIZE // 2)],
        "nothing": lambda: [rng.choice(["", " "]) for _ in range(SIZE)],
        "all different": lambda: rng.sample([f"{n:04}" for n in range(SIZE // 5)], SIZE // 5),
        "every other": lambda: [f"{n}" if n % 2 else f"{rng.random():.2}" for n in range(SIZE // 5)],
        "long lines": lambda: [f"{rng.choice('ab')}" * 1_000 for _ in range(27)],
    }
    return lines[kind]()


@pytest.mark.parametrize("kind", ["few lines", "one letter", "nothing", "all different", "every other", "long lines"])
@pytest.mark.parametrize("ends", [0, 300])
def test_two_files_of_27_kb_are_compared_in_bounded_time(kind: str, ends: int) -> None:
    rng = random.Random(0)
    same = [f"same {n}" for n in range(ends)]
    before, after = ([*same, *_made(kind, rng), *same] for _ in range(2))
    began = time.process_time()
    lines = list(_unified(before, after, "x", "y"))
    assert time.process_time() - began < 5.0
    body = [line for line in lines[2:] if not line.startswith("@@")]
    assert sum(line[0] == "-" for line in body) - sum(line[0] == "+" for line in body) == len(before) - len(after)
    assert len(body) <= len(before) + len(after)


def test_two_changes_far_apart_in_a_large_file_are_two_hunks() -> None:
    before = [f"line {n}" for n in range(2_000)]
    after = [*before[:7], "new", *before[8:1_990], *before[1_991:]]
    assert list(_unified(before, after, "x", "y")) == list(unified_diff(before, after, "x", "y", lineterm=""))


def test_what_would_take_too_long_is_one_change_between_equal_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_STEPS", 10)
    found = list(_unified(["a", "b", "c", "d"] * 3, ["a", "x", "c", "d"] * 3, "x", "y"))
    assert [line for line in found[3:] if line[0] == "-"] == [f"-{line}" for line in "bcdabcdab"]
