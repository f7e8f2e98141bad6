"""Estimates how long a run still takes, the final evaluation included, from what its trials took so far."""

from __future__ import annotations

from archives.archive import Archive
from archives.sqlite.typed import real
from evolve.budget import Budget
from evolve.config import Config
from evolve.search.context import fresh_instances, held_out
from fitness.tasks import Task

PROBE_TRIALS = 20  # trials that a thorough examination takes, about
RACED = 0.5  # share of its dev trials that a child runs before its race ends it, about


def final_trials(task: Task, config: Config, baselines: int) -> int:
    """Return about how many trials the final evaluation has."""
    fresh = len(fresh_instances(config))
    return config.finalists * (fresh + PROBE_TRIALS) + baselines * fresh + held_out_trials(task, config)


def held_out_trials(task: Task, config: Config) -> int:
    """Return how many trials the finalists and the human best have on held-out domains."""
    return (config.finalists + 1) * sum(count for _, count in held_out(task, config))


def seconds_a_trial(archive: Archive, workers: int) -> float | None:
    """Return the wall clock that one trial costs a run, judged side by side; None before the first."""
    row = archive.rows("select total(seconds) as seconds, total(trials) as trials from evaluations")[0]
    return real(row, "seconds") / real(row, "trials") / workers if real(row, "trials") else None


def breeding_seconds(config: Config, budget: Budget, rate: float, a_trial: float | None) -> float | None:
    """Return how long the search goes on, at `rate` evaluations a minute; where none has ended yet, from what trials take."""
    methods = max(0, budget.limit.evals - budget.evals)
    known = [60 * budget.limit.minutes - budget.seconds] if budget.limit.minutes is not None else []
    if rate:
        known.append(60 * methods / rate)
    elif a_trial is not None:
        known.append(methods * config.dev_instances * len(config.domains) * RACED * a_trial)
    return max(0.0, min(known)) if known else None
