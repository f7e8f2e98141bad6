"""Runs the verb `sealed`: a counted look at instances that nothing else ever scores."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from evolve.cli.options import db_option, echo_json, json_option, own_option, trust_option
from evolve.errors import UsageError
from evolve.report.heartbeat import Waiting
from evolve.report.progress import span
from evolve.runs.find import choose_method, find_run, reading
from evolve.text import short


@click.command()
@click.argument("method", required=False, metavar="[ID|NAME]")
@click.option("--instances", default=10, show_default=True, type=click.IntRange(2, 100), help="How many of each domain.")
@click.option("--yes", is_flag=True, help="Open them without being asked again.")
@db_option
@own_option
@trust_option
@json_option
def sealed(method: str | None, instances: int, yes: bool, db: Path | None, trust: bool, as_json: bool) -> None:
    """Open the sealed instances of every domain for one method (default: the champion).

    Nothing else ever scores them, so their PGR is the one to publish. Every opening is recorded in the run and beside the
    vault; `sealed_looks` in evolve.toml says how many a vault has. To choose among methods by what is found here breaks the
    seal.
    """
    from evolve.runs.checks import stored_config
    from evolve.runs.sealed import open_sealed, seal

    path = find_run(db)
    with reading(path) as archive:
        chosen, config = choose_method(archive, method), stored_config(archive)
    now = seal(config)
    if not yes and now.opened < now.budget:
        look = f"This is look {now.opened + 1} of {now.budget} at the sealed instances of this vault."
        try:
            if not click.confirm(f"{look} Open them for {short(chosen)}?", err=True):
                raise UsageError("nothing was opened")
        except click.Abort:
            raise UsageError("nothing was opened: answer y, or give --yes") from None
    with Waiting(f"opening the sealed instances for {short(chosen)}", quiet=as_json) as waiting:
        opened = open_sealed(path, chosen, instances, waiting.say, trust)
    if as_json:
        domains = [asdict(one) for one in opened]
        echo_json({"method": chosen, "looks": seal(config).opened, "budget": now.budget, "domains": domains})
        return
    click.echo(f"{short(chosen)} on sealed instances, PGR with 90 % intervals:")
    for one in opened:
        outcome = span(one.interval) if one.interval else f"{one.status}: {one.message}"
        click.echo(f"  {one.domain:<16} {one.instances:>3}  {outcome}")
    click.echo(f"look {seal(config).opened} of {now.budget} at this vault's sealed instances; recorded in {path}")
