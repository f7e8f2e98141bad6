"""A simulated researcher reads the program's own requests, and what they tell decides what it does next."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import get_args

import pytest

from archives.archive import Archive
from archives.nouns import Row
from evolve.prompting.disclosure import DisclosureKind
from fitness.nouns import Split
from tests.bench import guidance
from tests.support import simulated
from tests.support.guided import search
from tests.support.simulated_reading import Score, Seen, seen
from tests.support.simulated_researcher import Misled, Researcher, believed
from tests.support.simulated_world import DOMAINS, NOTHING, World, neighbours, recipe_of

WORLDS, EVALS = (100, 101), 50
SHORT = 14
HALF_STEP, RUNG = 0.025 + 1e-9, 0.08  # how far a card, and an answer of the Ladder, may lie from the PGR of the archive
KINDS = get_args(DisclosureKind)


@pytest.fixture(scope="module", params=KINDS)
def short(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """A short search under each kind of disclosure, and its archive."""
    folder = tmp_path_factory.mktemp("short")
    search(folder, World(7), Researcher(7), request.param, SHORT)
    with contextlib.closing(Archive.open(folder / "run.db")) as archive:
        yield archive


def test_with_cards_it_finds_more_than_with_scores_that_say_nothing(tmp_path: Path) -> None:
    worth = {
        make: fmean(
            search(tmp_path / f"{make.__name__}{seed}", World(seed), make(seed), evals=EVALS).truths[-1] for seed in WORLDS
        )
        for make in (Researcher, Misled)
    }
    assert worth[Researcher] > worth[Misled] + 0.1


def test_it_reads_of_every_request_the_parents_and_what_the_archive_has_of_them(short: Archive) -> None:
    prompts = [str(row["prompt"]) for row in _proposals(short)]
    assert len(prompts) >= SHORT
    for prompt in prompts:
        parents = [one for one in seen(prompt) if one.parent]
        assert 1 <= len(parents) <= 2
        for parent in parents:
            assert [score.domain for score in parent.scores] == [0, 1]
            assert all(_is_true(score, parent, short) for score in parent.scores)


def test_it_reads_the_rows_of_what_was_tried(short: Archive) -> None:
    last = str(_proposals(short)[-1]["prompt"])
    tried = [one for one in seen(last) if not one.parent and not one.record]
    assert len(tried) > 3
    assert any(one.record for one in seen(last))


def test_every_reply_of_it_is_a_method_of_the_world(short: Archive) -> None:
    rows = _proposals(short)
    assert all(recipe_of(str(row["source"])) for row in rows)
    assert all(str(row["state"]) in ("done", "refused") for row in rows)


def _proposals(archive: Archive) -> list[Row]:
    return archive.rows("select prompt, source, state from proposals where prompt != '' order by id")


def _is_true(score: Score, method: Seen, archive: Archive) -> bool:
    """Tell whether the archive's mean PGR of a method on a domain is what a request says of it."""
    found = next(one for one in archive.methods() if recipe_of(one.source) == method.recipe)
    trials = archive.trials(found.id, Split.DEV, "+".join(DOMAINS))
    mean = fmean(trial.score.pgr for trial in trials if trial.score and trial.domain == DOMAINS[score.domain])
    if score.interval is None:
        return mean <= score.value + RUNG and (score.at_most or mean >= score.value - RUNG)
    return abs(mean - score.value) <= HALF_STEP


@pytest.mark.quick
def test_at_most_is_believed_as_at_most_and_by_a_literal_reader_as_the_value() -> None:
    recipe = World(0).best_recipe
    told = [Seen(recipe, (Score(1, 0.9, None, None, at_most=True),))]
    meant, literal = (believed(told, literally).expected(recipe)[1] for literally in (False, True))
    assert meant < 0.1
    assert literal > 0.5


@pytest.mark.quick
def test_a_score_in_one_domain_says_less_of_the_other() -> None:
    recipe = World(0).best_recipe
    here, there = believed([Seen(recipe, (Score(0, 0.8, (0.7, 0.9), 10, at_most=False),))]).expected(recipe)
    assert here == pytest.approx(0.8, abs=0.05)
    assert 0.1 < there < here - 0.2


@pytest.mark.quick
def test_no_recipe_of_a_world_is_better_than_its_best() -> None:
    world = World(3)
    assert world.truth(world.best_recipe).mean() == pytest.approx(world.best)
    assert all(world.truth(recipe).mean() <= world.best + 1e-9 for recipe in neighbours(world.best_recipe))
    assert world.truth(NOTHING).mean() == 0


@pytest.mark.quick
def test_one_baseline_of_a_world_with_a_specialist_nearly_solves_one_domain_and_no_other_does() -> None:
    for seed in range(5):
        world = World(seed, specialist=True)
        *others, special = (world.truth(recipe) for recipe in world.baselines)
        assert special[1] > 0.5 > 0.1 > special[0]
        assert max(other[1] for other in others) < 0.5


@pytest.mark.quick
def test_the_table_pairs_searches_of_one_world() -> None:
    one = {"arm": "card", "seed": 1, "evals": 40, "early": 0.8, "last": 0.9, "best": 0.85, "inflation": 0.05}
    other = {**one, "arm": guidance.AS_MEANT, "evals": None}
    lines = guidance.table([one, {**one, "seed": 2}, other, {**other, "seed": 2}, {**other, "seed": 3}]).splitlines()
    assert "| card | 40 [40, 40] |  | 2 of 2 |" in lines[2]
    assert f"| {guidance.AS_MEANT} | 120 [120, 120] | 80 [80, 80] | 0 of 2 |" in lines[3]


def test_offline_operators_read_no_prompts_so_disclosure_changes_nothing_of_their_searches(tmp_path: Path) -> None:
    found = [simulated.search(tmp_path / kind, 3, methods=8, disclosure=kind) for kind in KINDS]
    assert {(one.dev, one.fresh, one.unselected) for one in found} == {(found[0].dev, found[0].fresh, found[0].unselected)}
