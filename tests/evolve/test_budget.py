from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.budget import Budget, Limit
from evolve.errors import BudgetRefused


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


def test_earlier_sessions_count() -> None:
    assert Budget(Limit(10), evals=7).left == 3
    assert Budget(Limit(10, minutes=1), seconds=61).left == 0
    assert Budget(Limit(10, usd=2.0), usd=2.5).left == 0


def test_an_unknown_price_cannot_keep_a_dollar_limit() -> None:
    Budget(Limit(10)).pay(None)
    with pytest.raises(BudgetRefused, match="price of this model is unknown"):
        Budget(Limit(10, usd=1.0)).pay(None)
