from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evolve.study.rediscovery import Behaviour

SHARES = st.floats(0, 1)
BEHAVIOURS = st.lists(st.tuples(SHARES, SHARES), min_size=3, max_size=3).map(lambda points: Behaviour(tuple(points)))


@given(BEHAVIOURS, BEHAVIOURS, BEHAVIOURS)
def test_the_distance_of_behaviours_is_a_metric(a: Behaviour, b: Behaviour, c: Behaviour) -> None:
    assert a.distance(a) == 0
    assert 0 <= a.distance(b) == b.distance(a) <= 1
    assert a.distance(c) <= a.distance(b) + b.distance(c) + 1e-9


def test_only_instances_that_both_ran_on_count() -> None:
    whole, cut = Behaviour(((0.5, 0.5), (0.6, 0.4), (0.9, 0.1))), Behaviour(((0.5, 0.5), (0.6, 0.4)))
    assert whole.distance(cut) == 0
