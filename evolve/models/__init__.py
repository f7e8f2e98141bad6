"""Calls language models for step 4 of ten. Each provider is a file, named in TABLE and imported only when asked for.

- answers: a chat-completions response
- anthropic: Claude, by its own protocol
- command: a program as the model
- endpoint: URL and key
- environment: proxies and certificates
- failures: what went wrong, as a sentence
- hosted: what HTTP providers share
- http: bodies read with a limit
- isolation: where a command runs
- metered: reserved before, paid after
- offers: whether a server knows a model
- openai: OpenAI-compatible servers
- pricing: the price of a call
- recorded: replies of a recorded run (`replay:`)
- refusals: errors, also inside of a success
- retry: pauses and attempts
- scripted: replies out of a file
- streams: answers in pieces
- waits: how long a server asks to wait
- wishes: what a server wants a request to hold

A model is written PROVIDER:NAME; with a provider of your own, FILE.py:CLASS:NAME or PACKAGE.MODULE:CLASS:NAME.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from evolve.config import Price
from evolve.errors import UsageError
from evolve.models.retry import Clock, Patience
from evolve.nouns import Model
from fitness import registry

TABLE = {
    "openai": "evolve.models.openai:OpenAIModel",
    "anthropic": "evolve.models.anthropic:AnthropicModel",
    "command": "evolve.models.command:CommandModel",
    "replay": "evolve.models.recorded:ReplayModel",
    "scripted": "evolve.models.scripted:ScriptedModel",
}
FROM_FILES = ("replay", "scripted")  # they answer at once, and always alike
OF_THIS_MACHINE = ("command", *FROM_FILES)  # they run or read what lies here, so a stranger may not choose it


@dataclass(frozen=True)
class Settings:
    """How a model is called.

    Attributes:
        tokens_out: the most tokens one answer may have, reasoning included.
        thinking: tokens of thought before an answer, for anthropic: 0 is none; models that decide themselves take any number
            as yes.
        seconds: how long one attempt may take.
        patience: how often and how long to try again.
        clock: the time and the sleep to use.
        prices: the user's own prices, by PROVIDER:NAME; they win over the table of known ones.
        extra_body: fields that requests hold beside ours.
        run: the archive of the run that asks, None without one.
        hidden: folders and files that a command may not see, beside the vault's: the run's own.
    """

    tokens_out: int = 16_384
    thinking: int = 0
    seconds: float = 300.0
    patience: Patience = field(default_factory=Patience)
    clock: Clock = field(default_factory=Clock)
    prices: Mapping[str, Price] = field(default_factory=dict)
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    run: Path | None = None
    hidden: tuple[Path, ...] = ()


class Provider(Protocol):
    """What an entry of TABLE must be: a class whose instances are models."""

    def __call__(self, name: str, base_url: str | None, rng: random.Random, settings: Settings) -> Model:
        """Make the model. Raises UsageError when its package, key, program or file is missing."""

    def found_keys(self) -> list[str]:
        """Return the flags that would use a key found in the environment; the names of variables only, never a value."""


def load(
    spec: str, base_url: str | None = None, *, rng: random.Random | None = None, settings: Settings | None = None
) -> Model:
    """Return the model that `provider:name` stands for; `base_url` is for providers that take one.

    `rng` draws only the jitter of retries: give it a generator of its own, or repeated runs differ with the network's mood.
    Raises UsageError for an unknown provider, an unusable URL, and a package, key, program or file that is missing.
    """
    provider, name = _parts(spec)
    known = ", ".join(sorted(TABLE))
    hint = (
        f"the known providers are: {known}" if ":" in spec else f"write it as PROVIDER:NAME, with one of the providers: {known}"
    )
    found = _provider(provider, f"unknown model {spec!r}: {hint}")
    if not name.strip():
        raise UsageError(f"the model {spec!r} has no name: write it as {provider}:NAME")
    return found(name, base_url, rng or random.Random(), settings or Settings())


def _parts(spec: str) -> tuple[str, str]:
    """Return the provider, one of TABLE or a reference to a class, and the name of its model."""
    provider, _, name = spec.strip().partition(":")
    if provider.endswith(".py") or ("." in provider and ":" in name):
        kind, _, name = name.partition(":")
        provider = f"{provider}:{kind}"
    return provider, name


def check_familiar(specs: Sequence[str], base_url: str | None) -> None:
    """Raise UsageError for models and a base URL, out of an archive, that would run, read or call what its maker chose.

    The archive may be a stranger's: its commands would run here, its files would be read, its server be sent a key.
    """
    from evolve.models.openai import is_familiar

    for spec in specs:
        provider = _parts(spec)[0]
        if provider in OF_THIS_MACHINE or provider not in TABLE:
            risk = {"command": "run that program", **dict.fromkeys(FROM_FILES, "read that file")}.get(provider, "run that code")
            raise UsageError(
                f"this run asks the model {spec!r}, which would {risk} here: to go on with it, say --model {spec!r}"
            )
    if base_url and not is_familiar(base_url):
        risk = f"this run asks a model at {base_url!r}, which would be sent the key in OPENAI_API_KEY"
        raise UsageError(f"{risk}: to go on with it, name the server yourself with --base-url")


def check_offers(asked: Iterable[Model]) -> list[str]:
    """Return a sentence for each model that its server does not list, though it may know it; nothing is paid for.

    Raises ModelError for a model whose server cannot be reached, refuses the key, or does not know it.
    """
    from evolve.models.hosted import Hosted

    return [doubt for model in asked if isinstance(model, Hosted) for doubt in [model.check()] if doubt]


def are_recorded(specs: Sequence[str]) -> bool:
    """Tell whether every one of these models answers out of a file: nobody waits for it, and it says the same again."""
    return all(spec.strip().partition(":")[0] in FROM_FILES for spec in specs)


def dangers(specs: Sequence[str]) -> list[str]:
    """Return a sentence for each model that can read the vault or the run on this machine."""
    from evolve.models.isolation import danger

    return [danger(spec) for spec in specs if spec.strip().startswith("command:") and danger(spec)]


def found_keys() -> list[str]:
    """Return, for each provider key in the environment, the flags that would use it."""
    return [line for provider in TABLE for line in _provider(provider).found_keys()]


def _provider(name: str, unknown: str = "") -> Provider:
    provider: Provider = registry.find(name, TABLE, unknown, ("__call__",))
    return provider
