"""Defines the errors a user meets: each is one sentence that says what to do, and carries its exit code."""

from fitness.nouns import EvolveError, SandboxUnavailable, VaultError
from fitness.registry import UsageError

__all__ = ["BudgetRefused", "EvolveError", "ModelError", "SandboxUnavailable", "UsageError", "VaultError"]


class BudgetRefused(EvolveError):
    """The budget has no room for what was asked."""

    exit_code = 3


class ModelError(EvolveError):
    """A language model could not be reached, or answered with something that cannot be used."""
