from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives.nouns import Usage
from evolve.budget import Budget, Limit
from evolve.errors import BudgetRefused

WORST = Usage("m", 1, 600, 400, 0.5)


@given(st.integers(1, 20), st.lists(st.sampled_from(["reserve", "refund", "settle"]), max_size=60))
def test_reserved_and_settled_never_exceed_the_limit(limit: int, steps: list[str]) -> None:
    budget, reserved, settled = Budget(Limit(limit)), 0, 0
    for step in steps:
        if step == "reserve":
            if reserved + settled == limit:
                with pytest.raises(BudgetRefused):
                    budget.reserve()
            else:
                budget.reserve()
                reserved += 1
        elif reserved:
            (budget.refund if step == "refund" else budget.settle)()
            reserved, settled = reserved - 1, settled + (step == "settle")
        assert budget.evals == settled
        assert budget.left == limit - reserved - settled


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 100)), max_size=80), st.sampled_from(["usd", "tokens", "calls"]))
def test_no_limit_is_ever_exceeded_when_calls_cost_at_most_their_worst_case(calls: list[tuple[bool, int]], kind: str) -> None:
    limits = {"usd": 3.0, "tokens": 6_000, "calls": 6}
    budget, held, spent = Budget(Limit(1_000, **{kind: limits[kind]})), 0, Usage()
    for begins, share in calls:
        if begins and budget.affords(WORST):
            budget.hold(WORST)
            held += 1
        elif begins:
            with pytest.raises(BudgetRefused, match="no room for another call"):
                budget.hold(WORST)
        elif held:
            paid = Usage("m", 1, 6 * share, 4 * share, 0.005 * share) if share else None
            if paid is None:
                budget.release(WORST)
            else:
                budget.pay(WORST, paid)
                spent = Usage("m", spent.calls + 1, spent.tokens_in + 10 * share, 0, (spent.usd or 0) + 0.005 * share)
            held -= 1
        used = {"usd": spent.usd or 0, "tokens": spent.tokens_in, "calls": spent.calls}[kind]
        assert used <= limits[kind] + 1e-9
    assert budget.usd == pytest.approx(spent.usd or 0)


def test_earlier_sessions_count() -> None:
    assert Budget(Limit(10), evals=7).left == 3
    assert Budget(Limit(10, minutes=1), seconds=61).left == 0
    assert Budget(Limit(10, usd=2.0), spent=Usage("m", 1, 1, 1, 2.5)).left == 0
    assert Budget(Limit(10, tokens=10), spent=Usage("m", 1, 5, 5)).left == 0
    assert Budget(Limit(10, calls=3), spent=Usage("m", 3)).left == 0


def test_an_answer_without_a_count_counts_as_its_worst_case() -> None:
    budget = Budget(Limit(10, usd=1.0))
    budget.hold(WORST)
    budget.pay(WORST, Usage("m", 1))
    assert budget.usd == 0.5
    assert not budget.affords(Usage("m", 1, 0, 0, 0.6))


def test_a_refusal_says_what_is_missing() -> None:
    budget = Budget(Limit(10, usd=0.7))
    budget.reserve(WORST)
    with pytest.raises(BudgetRefused, match=r"\$0.0000 of \$0.7000 are spent, and it may bring that to \$1.0000"):
        budget.hold(WORST)
