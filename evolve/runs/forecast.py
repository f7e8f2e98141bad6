"""Forecasts what a run's model calls can cost, before anything is spent, and refuses a budget too small for a useful run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archives.nouns import Usage
from evolve.config import Config
from evolve.errors import BudgetRefused
from evolve.nouns import Model
from evolve.operators.offline.declared import MOST
from evolve.prompting.system import Rules, system
from evolve.prompting.words import template
from fitness.contracts import wording
from fitness.sandbox import ALLOWED_IMPORTS, UNAVAILABLE, versions
from fitness.tasks import Task

PROMPT = 24_000  # characters of a long request: parents, the record and what was tried
TYPICAL = 1 / 3  # of its worst case that a call costs: fewer tokens than bytes, an answer shorter than allowed
USEFUL = 10  # calls below which a search with a model learns nothing
TURNS = 2  # calls of a proposal at most


@dataclass(frozen=True)
class Forecast:
    """What a run's calls can cost.

    Attributes:
        call: the worst case of one call of the dearest model; its `usd` is None when a price is unknown.
        proposals: how many proposals of models the budget of evaluations asks for, were none refused.
        usd: the most that the run can spend, None when neither a price nor a limit says.
    """

    call: Usage
    proposals: int
    usd: float | None


def system_text(task: Task, domains: Sequence[str], tunes: bool = False) -> str:
    """Return the system text of the model calls of a run on these search domains; one that `tunes` asks for constants."""
    rules = Rules(ALLOWED_IMPORTS, UNAVAILABLE, versions(), task.contract.words, task.limits)
    text = system(task.brief, wording.text(task.contract), rules, [task.facts.get(domain, "") for domain in domains])
    return f"{text}\n\n{template('constants').substitute(most=MOST)}" if tunes else text


def forecast(config: Config, models: Mapping[str, Model], system: str) -> Forecast:
    """Return what the calls of a run can cost; nothing is asked."""
    worst = [model.worst_case(system, " " * PROMPT) for model in models.values()]
    known = [usage.usd for usage in worst if usage.usd is not None]
    usd = max(known) if len(known) == len(worst) and known else None
    tokens_in, tokens_out = (max((getattr(u, name) for u in worst), default=0) for name in ("tokens_in", "tokens_out"))
    proposals = round(config.evals * (1 - config.offline_share)) if models else 0
    calls = min(config.max_calls or TURNS * proposals, TURNS * proposals)
    whole = None if usd is None else calls * usd
    limits = [limit for limit in (whole, config.usd) if limit is not None]
    return Forecast(Usage("", 1, tokens_in, tokens_out, usd), proposals, min(limits) if limits else None)


def check_budget(config: Config, models: Mapping[str, Model], system: str) -> None:
    """Raise BudgetRefused, with the arithmetic, when a limit cannot be kept, or does not pay for a useful run."""
    for spec, model in models.items():
        worst = model.worst_case(system, " " * PROMPT)
        tokens = worst.tokens_in + worst.tokens_out
        size = f"{worst.tokens_in:,} tokens in and {worst.tokens_out:,} out at most"
        if config.usd is not None and worst.usd is None:
            raise BudgetRefused(
                f"the price of {spec} is unknown, so --usd cannot be kept: set its price (prices in evolve.toml), "
                "or limit --tokens or --set max_calls=N instead"
            )
        least = 1 + (USEFUL - 1) * TYPICAL  # the last call's worst case must still fit in when the others have been paid
        if config.usd is not None and worst.usd is not None and config.usd < least * worst.usd:
            raise BudgetRefused(
                f"--usd {config.usd:g} does not pay for a useful run: one call of {spec} costs up to ${worst.usd:.4f} "
                f"({size}), about ${TYPICAL * worst.usd:.4f} as a rule, and {USEFUL} calls are the least that makes sense: "
                f"give --usd {least * worst.usd:.2f} or more, or allow shorter answers with --set reply_tokens=N"
            )
        if config.tokens is not None and config.tokens < least * tokens:
            raise BudgetRefused(
                f"--tokens {config.tokens:,} does not pay for a useful run: one call of {spec} uses up to {tokens:,} ({size}), "
                f"and {USEFUL} calls are the least that makes sense: give --tokens {round(least * tokens)} or more, or allow "
                "shorter answers with --set reply_tokens=N"
            )
