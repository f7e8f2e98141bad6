"""The verb `doctor`: what this machine offers."""

from __future__ import annotations

import click

from evolve.cli.common import echo_json, json_option

_LEVELS = {
    "A": "full: walls of the kernel, inside namespaces of their own",
    "B": "strong: walls of the kernel; install bubblewrap, or allow user namespaces, for level A",
    "C": "namespaces only: language-model code is refused here",
    "none": "methods cannot be contained on this machine, so none is run",
}


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Probe each wall of the sandbox by using it, and name devices and providers."""
    from evolve import models
    from fitness.nouns import DeviceUnavailable
    from fitness.sandbox.device import find
    from fitness.sandbox.doctor import examine

    found, devices, gpu = examine(), ["cpu"], ""
    try:
        gpu = find().name
        devices.append("cuda")
    except DeviceUnavailable as error:
        gpu = str(error)
    if as_json:
        walls = {wall.name: {"up": wall.up, "detail": wall.detail} for wall in found.walls}
        echo_json({"level": found.level, "walls": walls, "devices": devices, "gpu": gpu, "providers": list(models.TABLE)})
        return
    click.echo(f"sandbox level {found.level}: {_LEVELS[found.level]}")
    for wall in found.walls:
        click.echo(f"  {'up  ' if wall.up else 'down'} {wall.name:<12} {wall.detail}")
    click.echo(f"devices: {', '.join(devices)} ({gpu})")
    click.echo(f"model providers: {', '.join(models.TABLE)}")
    for line in models.found_keys():
        click.echo(f"  {line}")
