"""Defines the errors a user meets: each is one sentence that says what to do, and carries its exit code."""

from fitness.nouns import EvolveError, SandboxUnavailable, VaultError
from fitness.registry import UsageError

__all__ = ["BudgetRefused", "EvolveError", "ModelError", "SandboxUnavailable", "UsageError", "VaultError", "WorkerUnavailable"]


class BudgetRefused(EvolveError):
    """The budget has no room for what was asked."""

    exit_code = 3


class ModelError(EvolveError):
    """A language model could not be reached, or answered with something that cannot be used."""


class WorkerUnavailable(EvolveError):
    """The process that parses methods does not start, or something outside ends it: no source is to blame."""
