"""Measures how fast models are read and trained here, and keeps it: forecasts need not assume it then.

A rate belongs to a device, to a kind of work and to a model's size: a small model leaves most of a GPU idle.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from typing import Literal

from fitness.tasks.lm import kept
from fitness.tasks.lm.models import ModelShape
from fitness.vault import storage

Work = Literal["reading", "training"]
WORKS: tuple[Work, ...] = ("reading", "training")
PROCESSOR = "the processor"  # a device's name where there is no GPU
LEAST, EVERY = 5.0, 30.0  # seconds that must have been measured for a first rate, and between two


class RateMeter:
    """Measures one piece of work while it goes on; within the first minute its rate is kept."""

    def __init__(
        self, device: str, work: Work, shape: ModelShape, flop: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take what is at work, and how many FLOP a token takes."""
        self._name, self._flop, self._clock = _name(device, work, shape), flop, clock
        self._began: float | None = None
        self._next, self._tokens = LEAST, 0

    def did(self, tokens: int) -> None:
        """Count tokens that were computed; the first are left out, since a device starts slowly."""
        now = self._clock()
        if self._began is None:
            self._began = now
            return
        self._tokens += tokens
        seconds = now - self._began
        if seconds >= self._next:
            self._next = seconds + EVERY
            _keep(self._name, self._tokens * self._flop / seconds)


def known(device: str, work: Work, shape: ModelShape) -> float | None:
    """Return the FLOP a second that were reached; None where nothing sensible was kept."""
    try:
        found = json.loads((kept.folder() / _name(device, work, shape)).read_text())
    except (OSError, ValueError):
        return None
    return float(found) if isinstance(found, int | float) and math.isfinite(found) and found > 0 else None


def _name(device: str, work: Work, shape: ModelShape) -> str:
    return f"{kept.name_of('rate', device, work, shape.parameters)}.rate"


def _keep(name: str, rate: float) -> None:
    path = kept.folder() / name
    part = path.with_suffix(".part")
    with open(part, "w", opener=storage.private) as file:
        file.write(json.dumps(rate))
    os.replace(part, path)
