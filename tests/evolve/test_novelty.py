from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.novelty import Recent, distance, entropy, features

names = st.sampled_from(["a", "b", "c"])
prompts = st.builds(features, names, names, names, st.lists(names, max_size=2), st.lists(names, max_size=2))


@given(prompts, prompts)
def test_distance_is_a_distance(a, b) -> None:  # type: ignore[no-untyped-def]
    assert distance(a, a) == 0
    assert 0 <= distance(a, b) == distance(b, a) <= 1


def test_a_repeated_prompt_is_less_novel_than_a_new_direction() -> None:
    recent = Recent(12, 0.5)
    used = features("clean", "graft", "", ["p"], [])
    for _ in range(5):
        recent.add(used)
    assert recent.novelty(used) == 0
    assert recent.novelty(features("other", "graft", "", ["p"], [])) > recent.novelty(features("clean", "graft", "", ["q"], []))


def test_the_weight_rises_when_directions_collapse() -> None:
    diverse, collapsed = Recent(8, 0.5), Recent(8, 0.5)
    for i in range(40):
        diverse.add(features(f"d{i % 8}", "graft", "", ["p"], []))
        collapsed.add(features("d0", "graft", "", ["p"], []))
    assert diverse.weight == pytest.approx(0.5)
    assert collapsed.weight == pytest.approx(1.0)


def test_entropy_in_bits() -> None:
    assert entropy(["a", "b", "c", "d"]) == pytest.approx(2)
    assert entropy([]) == 0
