"""Draws the instances of each size (builder process only: this imports torch and scikit-learn)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fitness.assets.harder import HARDER
from fitness.tasks.embedded.language import Language
from fitness.tasks.embedded.task import Sizes
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw

GENRE = "math"


class ScaleSource:
    """Draws the instances of the task `scale`, loading only the models that are asked for."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.sizes = Sizes(**options["sizes"])
        self._strong, self._read = options["strong"], dict[str, Language]()

    def draw(self, domain: str, secret: Secret) -> Draw:
        """Draw one instance of a size."""
        if domain not in self._read:
            self._read[domain] = Language(self.sizes, Path(self._strong[domain]), documents=HARDER)
        return self._read[domain].draw(GENRE, secret)
