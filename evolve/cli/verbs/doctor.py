"""Runs the verb `doctor`: what this machine offers."""

from __future__ import annotations

import click

from evolve.cli.options import echo_json, json_option


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Probe each wall of the sandbox by using it, and name devices and providers."""
    from evolve import models
    from evolve.cli.show.console import facts, paragraph
    from fitness.nouns import DeviceUnavailable
    from fitness.sandbox.device import find
    from fitness.sandbox.doctor import LEVELS, diagnose

    found, devices, gpu = diagnose(), ["cpu"], ""
    try:
        gpu = find().name
        devices.append("cuda")
    except DeviceUnavailable as error:
        gpu = str(error)
    if as_json:
        walls = {wall.name: {"up": wall.up, "detail": wall.detail} for wall in found.walls}
        echo_json({"level": found.level, "walls": walls, "devices": devices, "gpu": gpu, "providers": list(models.TABLE)})
        return
    paragraph(f"sandbox level {found.level}: {LEVELS[found.level]}")
    facts([(f"  {'up  ' if wall.up else 'down'} {wall.name}", wall.detail) for wall in found.walls])
    if found.dangers:
        paragraph(f"so {found.dangers}", margin="  ")
    paragraph(f"devices: {', '.join(devices)} ({gpu})")
    paragraph(f"model providers: {', '.join(models.TABLE)}")
    for line in models.found_keys():
        click.echo(f"  {line}")
