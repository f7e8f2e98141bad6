"""The Pareto front over search domains: in Python and as a view, against brute force."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from archives.archive import Archive
from archives.nouns import MethodRecord
from archives.sqlite.typed import noun
from evolve.queries.filtering import Vector, pareto, vectors
from fitness.nouns import Evaluation, Finding, Score, Split, Status, Trial, Verdict

DOMAINS = ("chat", "code", "math")


def trial(method: str, domain: str, split: Split, pgr: float, place: int) -> Trial:
    return Trial(method, "embedded", domain, place, split, Status.OK, Score(pgr, 0.01, 0.7, 0.6, 0.9, 100))


def add(archive: Archive, method: str, pgrs: Sequence[float], split: Split = Split.DEV, fitness: float | None = 0.5) -> None:
    """Judge a method twice on each domain."""
    archive.add_method(MethodRecord(method, "", 1, "", "search", "", (), ()))
    pairs = [(domain, pgr) for domain, pgr in zip(DOMAINS, pgrs)]
    trials = [trial(method, domain, split, pgr + shift, 0) for shift in (-0.01, 0.01) for domain, pgr in pairs]
    archive.add_evaluation(Evaluation(method, tuple(trials), Status.OK, fitness), None, "+".join(DOMAINS), split, None)


def view(archive: Archive) -> list[Vector]:
    return [noun(Vector, row) for row in archive.rows("select * from pareto")]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3).flatmap(lambda n: st.lists(st.tuples(*[st.integers(-3, 9)] * n), min_size=1, max_size=12)))
def test_the_front_is_that_of_brute_force(points: list[tuple[int, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(Archive.create(Path(folder) / "run.db")) as archive:
        for number, point in enumerate(points):
            add(archive, f"m{number}", [x / 10 for x in point], fitness=sum(point) / 100)
        beaten = {
            b for (a, one), (b, other) in itertools.permutations(enumerate(points), 2)
            if one != other and all(x >= y for x, y in zip(one, other))
        }  # fmt: skip
        wanted = {f"m{number}" for number in range(len(points)) if number not in beaten}
        assert {vector.method for vector in pareto(archive)} == wanted
        assert sorted(view(archive), key=lambda v: v.method) == sorted(pareto(archive), key=lambda v: v.method)


def test_a_vector_is_the_mean_of_each_search_domain_and_of_no_other(tmp_path: Path) -> None:
    archive = Archive.create(tmp_path / "run.db")
    add(archive, "a", [0.25, 0.75], fitness=0.2)
    add(archive, "a", [0.3, 0.7])
    add(archive, "a", [0.9, 0.9, 0.9], Split.FRESH)
    add(archive, "stopped", [0.9, 0.9], fitness=None)
    add(archive, "cheat", [0.95, 0.95])
    found = Finding("shuffle", Verdict.FAILED, 0.5, 0.1, "it cheats")
    archive.add_findings("cheat", trial("cheat", "chat", Split.DEV, 0.95, 0), [found])
    assert vectors(archive) == pareto(archive) == view(archive) == [Vector("a", "", 0.5, {"chat": 0.3, "code": 0.7})]


def test_an_empty_archive_has_no_front(tmp_path: Path) -> None:
    archive = Archive.create(tmp_path / "run.db")
    assert pareto(archive) == view(archive) == []


def test_a_large_archive_is_answered_within_the_patience_of_a_query(tmp_path: Path) -> None:
    archive = Archive.create(tmp_path / "run.db")
    rng = np.random.default_rng(0)
    with archive.transaction():
        for number, point in enumerate(rng.normal(0.5, 0.2, (3000, 2))):
            add(archive, f"m{number}", [float(x) for x in point], fitness=float(point.min()))
    assert {v.method for v in view(archive)} == {v.method for v in pareto(archive)}
