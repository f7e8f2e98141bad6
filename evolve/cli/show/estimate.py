"""Prints what `--dry-run` says: the worst cost and time of a run, or of a study, without doing anything."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from evolve.cli.options import echo_json
from evolve.config import Config

if TYPE_CHECKING:
    from evolve.runs.checks import Given
    from evolve.runs.forecast import Forecast
    from evolve.study.plan import Plan

TYPICAL_TRIAL = 0.3  # CPU-seconds of one trial, sandbox included, measured on the embedded tier
BUILD = 4.0  # CPU-seconds to build one instance


def estimate(config: Config, as_json: bool, given: Given, gpu_hours: float | None = None) -> None:
    """Print what a run could use at most, and what it is likely to. Raises EvolveError as `start` would.

    `gpu_hours` may be spent on a task that says what it takes of a GPU; what does not fit in is refused.
    """
    from pathlib import Path

    from evolve import models
    from evolve.runs.forecast import forecast, system_text
    from evolve.runs.seeds import collect
    from evolve.runs.session import check
    from evolve.search.context import held_out
    from evolve.search.remaining import held_out_trials
    from fitness.sandbox.device import choose
    from fitness.tasks import gpu_forecast
    from fitness.vault.vault import Vault

    setup = check(config, given=given)
    chosen, task = setup.models, setup.task
    cost = forecast(config, chosen, system_text(task, config.domains, config.tunes))
    on_gpu = gpu_forecast(task, choose(config.device).gpu, gpu_hours)
    seeds = collect((Path(p) for p in config.seeds), task.seeds, needed=True)
    vault = Vault()
    unbuilt = [n for n in setup.instances if not vault.ready(task, n.domain, n.split, n.index)]
    missing, domains, held = len(unbuilt), len(config.domains), dict(held_out(task, setup.config))
    trials = domains * (config.evals * config.dev_instances + len(seeds) * (config.dev_instances + config.fresh_instances))
    trials += held_out_trials(task, setup.config)
    typical = missing * BUILD + trials * 0.5 * TYPICAL_TRIAL / config.workers
    worst = missing * BUILD + 2 * trials * task.limits.seconds / config.workers
    if config.minutes is not None:
        worst = min(worst, 60 * config.minutes + 2 * task.limits.seconds * config.fresh_instances * len(seeds) / config.workers)
    if as_json:
        facts = {"evaluations": config.evals, "trials": trials, "instances_to_build": missing, "proposals": cost.proposals}
        money = {"usd": cost.usd, "usd_limit": config.usd, "usd_call": cost.call.usd if chosen else 0.0}
        times = {"typical_seconds": round(typical), "worst_seconds": round(worst)}
        echo_json({**facts, **money, "held_out": held, **times, **({} if on_gpu is None else {"gpu": asdict(on_gpu)})})
        return
    work = f"{config.evals} evaluations of at most {domains * config.dev_instances} trials each"
    click.echo(f"{work}, {len(seeds)} seeds, {missing} instances to build")
    if any(held.values()):
        seconds = sum(n.domain in held for n in unbuilt) * BUILD + held_out_trials(task, setup.config) * TYPICAL_TRIAL
        each = ", ".join(f"{domain} {n}" for domain, n in held.items())
        click.echo(f"held out: {each} instances, built last, while it breeds: about {seconds:.0f} CPU-seconds in all")
    longest = f"at worst, if every method used its whole limit twice, {worst / 3600:.1f} hours"
    click.echo(f"time: about {typical / 60:.0f} minutes; {longest}")
    for line in () if on_gpu is None else on_gpu.lines:
        click.echo(line)
    for line in _money(config, cost) if chosen else ["money: nothing: no model is asked"]:
        click.echo(line)
    for danger in models.dangers(config.model):
        click.echo(f"note: {danger}")


def estimate_study(plan: Plan, at_once: int, as_json: bool) -> None:
    """Print what a study consists of, how long it is likely to take, and what its model calls can cost.

    Raises EvolveError as `compare` would.
    """
    from evolve.cli.show.study import work
    from evolve.runs.forecast import forecast, system_text
    from evolve.runs.session import check

    setup = check(plan.config)
    chosen, cost = (
        setup.models,
        forecast(plan.shared, setup.models, system_text(setup.task, plan.shared.domains, plan.shared.tunes)),
    )
    searches = len(list(plan.contestants()))
    seconds = searches * plan.trials * TYPICAL_TRIAL / min(at_once, searches)
    usd = None if cost.usd is None else searches * cost.usd
    if as_json:
        facts = {"folder": str(plan.folder), "searches": searches, "trials": plan.trials, "at_once": at_once}
        echo_json({**facts, "usd": usd if chosen else 0.0, "typical_seconds": round(seconds)})
        return
    click.echo(work(plan, at_once))
    waiting = ", plus the wait for models" if chosen else ""
    click.echo(f"time: about {seconds / 60:.0f} minutes when all are still to be done{waiting}")
    for line in _money(plan.shared, cost) if chosen else ["money: nothing: no model is asked"]:
        click.echo(line)
    if chosen:
        click.echo(f"that is for one search; for all {searches}: {'unknown' if usd is None else f'${usd:.2f} at most'}")


def _money(config: Config, cost: Forecast) -> list[str]:
    """Return what model calls can cost, as lines."""
    call = f"one call uses at most {cost.call.tokens_in:,} tokens in and {cost.call.tokens_out:,} out"
    price = "its price is unknown" if cost.call.usd is None else f"${cost.call.usd:.4f} of the dearest model"
    lines = [f"model calls: {cost.proposals} proposals of at most two calls; {call}, {price}"]
    if config.usd is not None:
        most = f"${config.usd:.2f} at most: no call is made whose worst case does not fit in"
    elif cost.usd is None:
        most = "unknown: set prices in evolve.toml, or limit --tokens or --set max_calls=N"
    else:
        most = f"${cost.usd:.2f} at worst, about a third of it as a rule, more when replies are refused: --usd X sets a limit"
    return [*lines, f"money: {most}"]
