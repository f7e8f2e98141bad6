"""What selection itself recovers: 1,000 children of a hard-coded answer vector, chosen by the engine on full scores.

`pytest tests/security/leaks -rP` prints the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

import pytest

from tests.security.leaks.hardcoded import BY_CONTENT, BY_PLACE, INSTANCES, ROWS, Climbed, OneOrder, PerTrial, climb

CHILDREN = 1000
LABELS = INSTANCES * ROWS
ERROR = 0.5 / math.sqrt(LABELS)  # standard error of the share that a vector without knowledge names
READ = 0.6  # recovered when selection is a channel: FITNESS.md measured .63-.67

Tell = Callable[[str], None]


def report(order: str, climbs: Sequence[Climbed]) -> str:
    dev_acc, recovered = fmean(c.dev_acc for c in climbs), fmean(c.recovered for c in climbs)
    chance = 1.96 * ERROR / math.sqrt(len(climbs))
    return (
        f"{order:<34} {CHILDREN:,} children, {LABELS:,} labels: champion's dev accuracy {dev_acc:.3f}, "
        f"recovered {recovered:.3f} | chance .500 ± {chance:.3f}"
    )


def test_with_an_order_per_trial_selection_reads_nothing(tmp_path: Path, tell: Tell) -> None:
    found = climb(tmp_path, PerTrial, BY_PLACE, CHILDREN, seed=0)
    tell(report("row order per trial", [found]))
    assert found.placed, "children were selected"
    assert abs(found.recovered - 0.5) <= 3.3 * ERROR


def test_with_one_order_for_all_the_same_climb_reads_the_labels(tmp_path: Path, tell: Tell) -> None:
    """The contrast: this is what the order per trial stops."""
    found = climb(tmp_path, OneOrder, BY_PLACE, CHILDREN, seed=0)
    tell(report("one row order for all", [found]))
    assert found.recovered >= READ


@pytest.mark.slow
def test_an_order_per_trial_does_not_stop_a_method_that_sorts_its_rows(tmp_path: Path, tell: Tell) -> None:
    """The limit of this wall: answers keyed by what a row holds climb all the same, and are left to the probes."""
    found = climb(tmp_path, PerTrial, BY_CONTENT, CHILDREN, seed=0)
    tell(report("order per trial, rows sorted first", [found]))
    assert found.recovered >= READ


@pytest.mark.slow
def test_over_several_climbs_the_order_per_trial_keeps_recovery_at_chance(tmp_path: Path, tell: Tell) -> None:
    climbs = [climb(tmp_path / str(seed), PerTrial, BY_PLACE, CHILDREN, seed) for seed in range(1, 6)]
    tell(report(f"row order per trial, {len(climbs)} climbs", climbs))
    assert abs(fmean(found.recovered for found in climbs) - 0.5) <= 3.3 * ERROR / math.sqrt(len(climbs))
