from __future__ import annotations

import json
import random
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from archives.archive import Archive
from archives.grid import Bins, FlatPopulation, dump, niche, parse
from archives.nouns import ArchiveError, Elite
from evolve.cli import run
from evolve.config import Config
from evolve.errors import UsageError
from evolve.grids import grid_for, grid_of
from evolve.islands.islands import Islands
from evolve.selection import strategies
from evolve.selection.choice import Choice, Proposer
from evolve.selection.selector import Selector
from evolve.selection.strategies import STRATEGIES, populations, strategy
from evolve.testing import check_strategy
from fitness.tasks import load
from fitness.tasks.directions import DIRECTIONS
from tests.support import tiny

SOURCES = [Proposer("graft", 2, ""), Proposer("perturb", 1, ""), Proposer("tune", 1, "")]
SEEDS = {"s1": 0.1, "s2": 0.3, "s3": 0.2}


def selector(name: str) -> Selector:
    """Return a strategy's selector with three seeds, on each island some elites that are no seeds."""
    chosen = strategy(name)
    islands = Islands(3 if chosen.islands else 1, FlatPopulation(4))
    for island in range(len(islands)):
        for cell in range(min(4, chosen.pool or 4)):
            islands.place(Elite(island, cell, f"e{island}{cell}", cell / 10 + 0.3))
    return Selector(islands, sorted(SEEDS, key=SEEDS.__getitem__), SOURCES, DIRECTIONS, 1.0, chosen)


def draw(made: Selector, prompts: int = 60) -> list[Choice]:
    choices = []
    for number in range(prompts):
        choices.append(made.choose(number, None, random.Random(number)))
        made.used(choices[-1])
    return choices


def first_parents(name: str) -> set[str]:
    return {choice.parents[0] for choice in draw(selector(name))}


def test_a_strategy_breeds_from_whom_it_says() -> None:
    assert first_parents("map-elites") <= {f"e{island}{cell}" for island in range(3) for cell in range(4)}
    assert first_parents("islands") <= first_parents("map-elites") | {f"e{i}{c}" for i in range(3) for c in range(4)}
    assert first_parents("hillclimb") == {"e00"}
    assert first_parents("random") == set(SEEDS)
    assert first_parents("iid") <= set(SEEDS)
    assert len(first_parents("iid")) > 1
    assert first_parents("tune") == {"s2"}


def test_the_other_parents_of_a_strategy_that_keeps_one_method_are_seeds() -> None:
    for name in ("hillclimb", "sequential", "iid", "random"):
        assert {other for choice in draw(selector(name)) for other in choice.parents[1:]} <= set(SEEDS)


def test_sequential_takes_the_newest_child_whatever_it_is_worth() -> None:
    made = selector("sequential")
    assert {choice.parents[0] for choice in draw(made, 5)} == {"e00"}, "before there is a child: the best"
    made.judged("c7", 7)
    made.judged("c3", 3)  # landed later, chosen earlier
    assert {choice.parents[0] for choice in draw(made)} == {"c7"}


def test_tune_only_tunes() -> None:
    assert {choice.operator for choice in draw(selector("tune"))} == {"tune"}


def test_random_draws_seeds_and_operators_evenly() -> None:
    choices = draw(selector("random"), 900)
    for counted, expected in ((Counter(c.operator for c in choices), 300), (Counter(c.parents[0] for c in choices), 300)):
        assert len(counted) == 3
        assert all(0.8 * expected < n < 1.2 * expected for n in counted.values())


def test_a_pool_keeps_the_fittest() -> None:
    pool, elites = FlatPopulation(3), dict[int, Elite]()
    for number, fitness in enumerate((0.5, 0.1, 0.3, 0.2, 0.05, 0.6)):
        place = niche(pool, {}, elites)
        if place not in elites or fitness > elites[place].fitness:
            elites[place] = Elite(0, place, f"m{number}", fitness)
    assert sorted(elite.fitness for elite in elites.values()) == [0.3, 0.5, 0.6]
    del elites[1]
    assert niche(pool, {}, elites) == 1, "a place that was left is free"


def test_a_pool_is_stored_with_the_run() -> None:
    assert parse(dump(FlatPopulation(24))) == FlatPopulation(24)
    for damaged in ("0", "-1", "true", '"a"', "1e9", "99999999"):
        with pytest.raises(ArchiveError):
            parse(f'{{"measures": [], "pool": {damaged}}}')


def test_only_map_elites_has_a_grid() -> None:
    grids = {name: grid_for(load("embedded"), Config(strategy=name)) for name in STRATEGIES}
    assert isinstance(grids.pop("map-elites"), Bins)
    assert all(isinstance(grid, FlatPopulation) for grid in grids.values())
    assert {name for name in STRATEGIES if populations(Config(strategy=name)) > 1} == {"map-elites", "islands"}


def test_an_unknown_strategy_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="hillclimb"):
        strategy("annealing")
    assert run(["start", "--strategy", "annealing", "--dry-run"]) == 2
    assert "hillclimb" in capsys.readouterr().err


OWN = """\
from evolve.selection.strategies import Strategy

FEW = Strategy("the three fittest", pool=3, operators=("tune",))
MODELS = Strategy("what models rewrite", operators=("rewrite",))
NUMBER = 3
"""


def test_a_strategy_in_a_file_is_known_once_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategies, "_ADMITTED", {})
    file = tmp_path / "mine.py"
    file.write_text(OWN)
    name = strategies.admit(f"{file}:FEW")
    assert strategy(name).pool == 3
    assert strategies.admit(name) == name
    assert strategies.admit("iid") == "iid"
    file.write_text(OWN + "\n")
    assert strategies.admit(f"{file}:FEW") != name, "a changed file is another strategy"
    strategies._ADMITTED.clear()
    with pytest.raises(UsageError, match=r"say --strategy path/to/file\.py:NAME, with the file as it was then"):
        strategy(name)


@pytest.mark.parametrize(
    ("text", "reference", "said"),
    [
        (OWN, "mine.py:NUMBER", "is no strategy but of type int"),
        (OWN, "mine.py:NONE", "defines no NONE"),
        (OWN, "mine.py", "is a whole file: write what is wanted of it as mine.py:NAME"),
        (OWN, "moon.py:FEW", "cannot read"),
        (OWN.replace("pool=3", "pool=0"), "mine.py:FEW", "line 3, cannot be imported: ValueError: pool = 0 keeps no method"),
        (OWN.replace("pool=3", "parents='all'"), "mine.py:FEW", "parents = 'all': choose among population, seeds"),
        (OWN.replace('("tune",)', '"tune"'), "mine.py:FEW", "operators are a tuple of names"),
        (OWN, "mine.py:MODELS", "breeds by rewrite alone, and this run has graft"),
    ],
)
def test_a_bad_strategy_file_is_a_sentence(
    text: str, reference: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(strategies, "_ADMITTED", {})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(text)
    assert run(["start", "--strategy", reference, "--dry-run"]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_contract_of_a_strategy() -> None:
    for known in STRATEGIES.values():
        check_strategy(known)
    with pytest.raises(AssertionError, match="in one line"):
        check_strategy(strategies.Strategy(""))
    with pytest.raises(AssertionError, match="operators that there are"):
        check_strategy(strategies.Strategy("mine", operators=("scale", "turn")), own=["scale"])


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in ("islands", "sequential") else pytest.mark.slow) for n in STRATEGIES]
)
def test_a_run_of_every_strategy_ends_and_replays(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.register(monkeypatch)
    db = tmp_path / f"{name}.db"
    trials = ["--evals", "50", "--set", "trials=18", "--workers", "1"]
    assert run(["start", *tiny.SMALL, *trials, "--strategy", name, "--db", str(db)]) == 0
    with closing(Archive.open(db)) as archive:
        assert archive.run().state == "finished"
        assert 18 <= archive.judged_trials() < 18 + 3, "the limit of trials ended it"
        assert len(archive.elites()) <= grid_of(archive).cells * 3
    capsys.readouterr()
    assert run(["replay", "--db", str(db), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"]
    assert run(["archive", "check", "--db", str(db)]) == 0
    assert run(["map", "--db", str(db)]) == 0
    assert run(["archive", "regrid", "--db", str(db), "--out", str(tmp_path / "other.db")]) == (
        2 if name != "map-elites" else 0
    )
