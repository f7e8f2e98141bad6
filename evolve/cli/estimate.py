"""`start --dry-run`: the worst cost and time of a run, without doing anything."""

from __future__ import annotations

import click

from evolve.cli.common import echo_json
from evolve.config import Config

TYPICAL_TRIAL = 0.35  # CPU-seconds of one trial, sandbox included, measured on the embedded tier
BUILD = 4.0  # CPU-seconds to build one instance


def estimate(config: Config, as_json: bool) -> None:
    """Print what a run could use at most, and what it is likely to. Raises EvolveError as `start` would."""
    from pathlib import Path

    from evolve.baselines import collect
    from evolve.lab import check_config, load_models, wanted_instances
    from fitness import tasks
    from fitness.sandbox.device import choose
    from fitness.vault import Vault

    task = tasks.load(config.task)
    check_config(task, config)
    load_models(config)
    choose(config.device)
    seeds = collect(Path(p) for p in config.seeds)
    vault = Vault()
    wanted = wanted_instances(task, config)
    missing = sum(not vault.ready(task, n.domain, n.split, n.index) for n in wanted)
    domains = len(config.domains)
    trials = domains * (config.evals * config.dev_instances + len(seeds) * (config.dev_instances + config.fresh_instances))
    typical = missing * BUILD + trials * 0.5 * TYPICAL_TRIAL / config.workers
    worst = missing * BUILD + 2 * trials * task.limits.seconds / config.workers
    if config.minutes is not None:
        worst = min(worst, 60 * config.minutes + 2 * task.limits.seconds * config.fresh_instances * len(seeds) / config.workers)
    usd = config.usd if config.model else 0.0
    if as_json:
        facts = {"evaluations": config.evals, "trials": trials, "instances_to_build": missing, "usd": usd}
        echo_json({**facts, "typical_seconds": round(typical), "worst_seconds": round(worst)})
        return
    work = f"{config.evals} evaluations of at most {domains * config.dev_instances} trials each"
    click.echo(f"{work}, {len(seeds)} seeds, {missing} instances to build")
    longest = f"at worst, if every method used its whole limit twice, {worst / 3600:.1f} hours"
    click.echo(f"time: about {typical / 60:.0f} minutes; {longest}")
    limit = f"${usd:.2f} at most" if usd else "no limit: give --usd X to set one"
    cost = limit if config.model else "nothing: no model is asked"
    click.echo(f"money: {cost}")
