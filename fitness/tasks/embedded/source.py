"""Draws the instances of each domain (builder process only: this imports torch and scikit-learn)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from fitness.tasks.embedded.deceptive import Deceptive
from fitness.tasks.embedded.digits import Digits
from fitness.tasks.embedded.language import Language
from fitness.tasks.embedded.task import Sizes
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw


class EmbeddedSource:
    """Draws the instances of the embedded task, loading of each kind of domain only what is asked for."""

    def __init__(self, options: Mapping[str, int]) -> None:
        self.sizes = Sizes(**options)

    @cached_property
    def language(self) -> Language:
        """The plain domains of the language models."""
        return Language(self.sizes)

    @cached_property
    def deceptive(self) -> Deceptive:
        """Their deceptive domain."""
        return Deceptive(self.sizes, self.language)

    @cached_property
    def digits(self) -> Digits:
        """The domain of handwritten digits."""
        return Digits(self.sizes)

    def draw(self, domain: str, secret: Secret) -> Draw:
        """Draw one instance of a domain."""
        if domain == "digits":
            return self.digits.draw(secret)
        if domain == "code_deceptive":
            return self.deceptive.draw(secret)
        return self.language.draw(domain, secret)
