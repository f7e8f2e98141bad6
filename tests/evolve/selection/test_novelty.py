from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.screening.canonical import SKETCH, sketch_distance
from evolve.selection.novelty import (
    CHILDREN,
    DIVERSE,
    MOST,
    NEAREST,
    RECENT,
    Features,
    Recent,
    distance,
    entropy,
    features,
    looks,
)

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
    assert collapsed.weight == pytest.approx(0.5 * MOST)
    assert [Recent(8, 0.0).weight, Recent(8, 0.0).rarity(9)] == [0.0, 1.0]


def sketch(seed: int, shared: int = 0) -> tuple[int, ...]:
    rng = random.Random(seed)
    return tuple(7 if place < shared else rng.getrandbits(32) for place in range(SKETCH))


def test_the_weight_rises_when_children_are_alike() -> None:
    diverse, collapsed = Recent(2, 0.5), Recent(2, 0.5)
    for i in range(CHILDREN):
        for recent, shared in ((diverse, 0), (collapsed, 48)):
            recent.add(features(f"d{i % 2}", "graft", "", ["p"], []))
            recent.child(sketch(i, shared))
    assert diverse.diversity == pytest.approx(1.0)
    assert collapsed.diversity == pytest.approx(0.25)
    assert diverse.weight == pytest.approx(0.5)
    assert collapsed.weight == pytest.approx(0.5 * DIVERSE / 0.25)
    for i in range(CHILDREN):
        collapsed.child(sketch(i))
    assert collapsed.weight == pytest.approx(0.5), "only the last children count"


@given(st.lists(st.integers(0, 5), min_size=5, max_size=40))
def test_diversity_is_the_mean_distance_of_the_last_children(seeds: list[int]) -> None:
    recent = Recent(2, 0.5)
    for seed in seeds:
        recent.child(sketch(seed, 10))
    pairs = [sketch_distance(sketch(a, 10), sketch(b, 10)) for a, b in combinations(seeds[-CHILDREN:], 2)]
    assert recent.diversity == pytest.approx(sum(pairs) / len(pairs))


@given(st.lists(prompts, min_size=1, max_size=80), prompts)
def test_novelty_is_the_mean_distance_to_the_nearest_recent_prompts(used, asked) -> None:  # type: ignore[no-untyped-def]
    recent = Recent(12, 0.5)
    for prompt in used:
        recent.add(prompt)
    nearest = sorted(distance(asked, prompt) for prompt in used[-RECENT:])[:NEAREST]
    assert recent.novelty(asked) == pytest.approx(sum(nearest) / len(nearest))


def test_parents_that_look_alike_make_prompts_that_are_near() -> None:
    def prompt(parent: str, look: tuple[int, ...]) -> Features:
        return features("d", "graft", "", [parent], []).union(looks(look))

    first, twin, stranger = prompt("p", sketch(1)), prompt("q", sketch(1)), prompt("r", sketch(2))
    assert 0 < distance(first, twin) < distance(first, stranger) < 1


def test_entropy_in_bits() -> None:
    assert entropy(["a", "b", "c", "d"]) == pytest.approx(2)
    assert entropy([]) == 0
