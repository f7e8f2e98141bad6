from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives.archive import Archive
from archives.nouns import CallRecord, MethodRecord, ProposalRecord, RunRecord, Usage
from evolve.selection.bandit import EVALUATION, Arm, Bandit
from fitness.nouns import Direction

CHEAP, DEAR = Arm(0, "cheap", "diff"), Arm(0, "dear", "diff")


def usage(usd: float | None, tokens: int = 100) -> Usage:
    return Usage("m", 1, tokens, 0, usd)


def draws(bandit: Bandit, arms: list[Arm], number: int = 400) -> Counter[Arm]:
    return Counter(arms[bandit.draw(arms, 1, random.Random(i))[0]] for i in range(number))


@pytest.mark.parametrize(("tries", "least"), [(0, 0.4), (4, 0.6), (40, 0.99)])
def test_the_arm_that_gains_more_is_drawn_more_the_surer_that_is(tries: int, least: float) -> None:
    bandit, good, bad = Bandit(), Arm(0, "m", "diff"), Arm(0, "m", "rewrite")
    for i in range(tries):
        bandit.learn(good, True, 0.05 * (i % 2), usage(0.01))
        bandit.learn(bad, False, 0.0, usage(0.01))
    share = draws(bandit, [good, bad])[good] / 400
    assert least <= share
    assert tries == 40 or share < 0.95, "what was tried little is tried again"


def test_of_equal_gains_the_cheaper_is_drawn_more() -> None:
    bandit = Bandit()
    for i in range(20):
        bandit.learn(CHEAP, True, 0.05 * (i % 2), usage(0.001))
        bandit.learn(DEAR, True, 0.05 * (i % 2), usage(0.1))
    assert bandit.gain(CHEAP) == pytest.approx(bandit.gain(DEAR))
    assert bandit.cost(DEAR) > 5 * bandit.cost(CHEAP)
    assert draws(bandit, [CHEAP, DEAR])[CHEAP] > 300


def test_a_dear_arm_is_worth_its_price_when_it_gains_enough() -> None:
    bandit = Bandit()
    for _ in range(40):
        bandit.learn(CHEAP, False, 0.001, usage(0.01))
        bandit.learn(DEAR, True, 0.2, usage(0.05))
    assert draws(bandit, [CHEAP, DEAR])[DEAR] > 300


def test_an_arm_that_calls_no_model_costs_its_evaluation() -> None:
    bandit = Bandit()
    bandit.learn(CHEAP, False, 0.0, usage(0.01))
    assert bandit.cost(Arm(0, "", "graft")) == EVALUATION
    assert bandit.cost(CHEAP) == pytest.approx(EVALUATION + 1.0)
    assert bandit.cost(DEAR) == pytest.approx(EVALUATION + 1.0), "what was never tried costs the mean"


def test_tokens_count_where_a_price_is_unknown() -> None:
    bandit = Bandit()
    bandit.learn(CHEAP, False, 0.0, usage(5.0, tokens=100))
    bandit.learn(DEAR, False, 0.0, usage(None, tokens=900))
    assert bandit.cost(DEAR) > bandit.cost(CHEAP)
    assert bandit.arms[DEAR].price is None, "unknown, never 0"
    assert bandit.arms[CHEAP].price == 5.0


def test_an_arm_leans_on_the_other_islands() -> None:
    bandit = Bandit()
    for _ in range(20):
        bandit.learn(Arm(1, "m", "diff"), True, 0.1, usage(0.01))
        bandit.learn(Arm(1, "m", "rewrite"), False, 0.0, usage(0.01))
    here = [Arm(0, "m", "diff"), Arm(0, "m", "rewrite"), Arm(0, "m", "cross")]
    diff, rewrite, cross = (bandit.gain(arm) for arm in here)
    assert diff > cross > rewrite, "what was tried nowhere leans on the mean of everything"


def test_what_makes_no_method_says_nothing_of_the_others() -> None:
    one, other = Bandit(), Bandit()
    for bandit in (one, other):
        bandit.learn(CHEAP, True, 0.1, usage(0.01))
    other.learn(Arm(0, "cheap", "vary"), False, 0.0, usage(0.01), judged=False)
    assert one.gain(DEAR) == other.gain(DEAR)
    assert other.arms[Arm(0, "cheap", "vary")].tried == 1


tries = st.tuples(
    st.integers(0, 2), st.sampled_from(["", "a", "b"]), st.sampled_from(["diff", "fix"]), st.booleans(), st.floats(0, 1)
)


@given(st.lists(tries, max_size=40), st.integers(0, 99))
def test_any_history_leaves_finite_costs_and_a_draw(history, seed) -> None:  # type: ignore[no-untyped-def]
    bandit = Bandit()
    for island, model, operator, placed, gain in history:
        bandit.learn(Arm(island, model, operator), placed, gain, usage(gain or None) if model else Usage())
    arms = [Arm(0, model, operator) for model in ("", "a", "b") for operator in ("diff", "fix")]
    assert all(EVALUATION <= bandit.cost(arm) < 1e6 for arm in arms)
    assert all(0 <= bandit.gain(arm) <= 1 for arm in arms)
    once, again = (bandit.draw(arms, 3, random.Random(seed)) for _ in range(2))
    assert once == again
    assert set(once) <= set(range(len(arms)))


def test_the_archive_holds_the_same_sums(tmp_path: Path) -> None:
    archive, bandit, rng = Archive.create(tmp_path / "run.db"), Bandit(), random.Random(3)
    archive.add_run(RunRecord("run", "now", "embedded", "1", "v", "{}", 0, "running", "B", "0"))
    archive.add_direction(Direction("d", "a direction", ()))
    archive.add_method(MethodRecord("p", "", 1, "p", "seed", "", (), ()))
    for number in range(1, 121):
        arm = Arm(rng.randrange(2), rng.choice(["", "priced", "unpriced"]), rng.choice(["diff", "fix"]))
        state = rng.choice(["done", "refused", "proposed", "lost"])
        placed = state == "done" and rng.random() < 0.4
        gain = round(rng.random(), 3) if placed else 0.0
        calls = rng.randint(1, 2) if arm.model else 0
        spent = [Usage(arm.model, 1, 70 + number, 30, 0.01 * number if arm.model == "priced" else None) for _ in range(calls)]
        record = ProposalRecord(number, arm.island, arm.operator, arm.model, "d", ("p",), "", "", "", "x", 0.5, state, "", None)
        store(archive, record, spent, placed, gain)
        if state in ("done", "refused"):
            usd = None if any(one.usd is None for one in spent) else sum(one.usd or 0.0 for one in spent)
            total = Usage(arm.model, calls, sum(o.tokens_in for o in spent), sum(o.tokens_out for o in spent), usd)
            bandit.learn(arm, placed, gain, total)
    rows = archive.rows("select * from arms")
    assert len(rows) == len(bandit.arms) == 12
    for row in rows:
        sums = bandit.arms[Arm(int(str(row["island"])), str(row["model"]), str(row["operator"]))]
        assert (row["tried"], row["placed"], row["calls"], row["tokens"]) == (sums.tried, sums.placed, sums.calls, sums.tokens)
        assert row["gain"] == pytest.approx(sums.gain, abs=1e-4)
        assert row["usd"] == (None if sums.price is None else pytest.approx(sums.price, abs=1e-6))


def store(archive: Archive, record: ProposalRecord, spent: list[Usage], placed: bool, gain: float) -> None:
    """Write a proposal with its calls and what came of it."""
    archive.add_proposal(record)
    archive.add_calls([CallRecord(record.id, turn, "", "", usage) for turn, usage in enumerate(spent, 1)])
    archive.set_proposal_state(record.id, record.state, placement="NEW" if placed else "REJECTED", gain=gain)
