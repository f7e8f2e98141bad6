"""The checks that draw: anchors that lie too near each other are said before a search finds no instances."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from fitness.checks.draws import anchors


@pytest.mark.parametrize(("gaps", "passes"), [((0.055, 0.06), False), ((0.07, 0.08), True), ((0.05, 0.5), True)])
def test_gaps_that_hardly_reach_the_margin_are_refused(gaps: tuple[float, ...], passes: bool) -> None:
    samples: list[Any] = [
        SimpleNamespace(
            domain="plain", task=SimpleNamespace(margin=0.05), instance=SimpleNamespace(floor=0.9, ceiling=0.9 + gap)
        )
        for gap in gaps
    ]
    found = anchors(cast(Any, samples))
    assert (found.check, found.passed) == ("anchors", passes)
    assert ("would not get its instances" in found.sentence) is not passes
