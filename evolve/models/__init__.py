"""Language models: one file a provider, named in TABLE and imported only when asked for."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from importlib import import_module
from typing import Protocol, cast

from evolve.errors import UsageError
from evolve.models.retry import Clock, Patience
from evolve.nouns import Model

TABLE = {"openai": "evolve.models.openai:OpenAIModel"}


@dataclass(frozen=True)
class Settings:
    """How a model is called.

    Attributes:
        tokens_out: the most tokens one answer may have, reasoning included.
        seconds: how long one attempt may take.
        patience: how often and how long to try again.
        clock: the time and the sleep to use.
    """

    tokens_out: int = 16_384
    seconds: float = 300.0
    patience: Patience = field(default_factory=Patience)
    clock: Clock = field(default_factory=Clock)


class Provider(Protocol):
    """What an entry of TABLE must be: a class whose instances are models."""

    def __call__(self, name: str, base_url: str | None, rng: random.Random, settings: Settings) -> Model:
        """Make the model. Raises UsageError when its package or key is missing."""
        ...

    def found_keys(self) -> list[str]:
        """Return the flags that would use a key found in the environment; the names of variables only, never a value."""
        ...


def load(
    spec: str, base_url: str | None = None, *, rng: random.Random | None = None, settings: Settings | None = None
) -> Model:
    """Return the model that `provider:name` stands for.

    `rng` draws only the jitter of retries: give it a generator of its own, or repeated runs differ with the network's mood.
    Raises UsageError for an unknown provider, an unusable URL, a missing package or a missing key.
    """
    provider, colon, name = spec.strip().partition(":")
    known = ", ".join(sorted(TABLE))
    if provider not in TABLE:
        hint = (
            f"the known providers are: {known}" if colon else f"write it as PROVIDER:NAME, with one of the providers: {known}"
        )
        raise UsageError(f"unknown model {spec!r}: {hint}")
    if not name:
        raise UsageError(f"the model {spec!r} has no name: write it as {provider}:NAME")
    return _provider(provider)(name, base_url, rng or random.Random(), settings or Settings())


def check_familiar(base_url: str | None) -> None:
    """Raise UsageError for a base URL, out of an archive, that is neither a known provider's nor on this machine."""
    from evolve.models.openai import is_familiar

    if base_url and not is_familiar(base_url):
        risk = f"this run asks a model at {base_url!r}, which would be sent the key in OPENAI_API_KEY"
        raise UsageError(f"{risk}: to go on with it, name the server yourself with --base-url")


def found_keys() -> list[str]:
    """Return, for each provider key in the environment, the flags that would use it."""
    return [line for provider in TABLE for line in _provider(provider).found_keys()]


def _provider(name: str) -> Provider:
    module, _, attribute = TABLE[name].partition(":")
    return cast(Provider, getattr(import_module(module), attribute))
