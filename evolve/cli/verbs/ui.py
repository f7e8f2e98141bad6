"""Runs the verb `ui`: the report as a live page on this machine, which only reads the archive, also of a live run."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archives.archive import Archive
from evolve.cli.options import db_option, json_option
from evolve.errors import EvolveError, UsageError
from evolve.runs.find import is_prepared, newest_run
from evolve.runs.process import is_running

if TYPE_CHECKING:
    from evolve.report.live import LivePage

PORT = 8640
_LOOK = 0.2  # seconds between two looks for an archive that is being prepared


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help=f"The port (default: {PORT}, or any when it is taken; 0: any).")
@db_option
@json_option
def ui(port: int | None, db: Path | None, as_json: bool) -> None:
    """The report as a live page: it follows the run, opens every method, and is served to this machine only.

    It prints its address and serves until Ctrl-C. Nothing can be changed through it.
    """
    try:
        import uvicorn

        from evolve.report.live import LivePage, application
    except ImportError as error:
        raise UsageError(
            f"the live page needs the extra ui ({error.name} is missing): run `pip install -e '.[ui]'` in the checkout; "
            "`python -m evolve report` writes the same page as a file without it"
        ) from error
    from evolve.text import as_json as written

    path = _begun(db).absolute()
    Archive.open(path).close()  # what is wrong with it is said here, not in the browser
    listening = _listen(port)
    bound = listening.getsockname()[1]
    watch = LivePage(path, is_running)
    config = uvicorn.Config(
        application(watch, lambda: server.should_exit),
        http="h11", ws="none", lifespan="off", log_level="error", access_log=False, server_header=False, limit_concurrency=100,
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = uvicorn.Server(config)
    url = f"http://127.0.0.1:{bound}/"
    click.echo(written({"url": url, "db": str(path)}) if as_json else f"{url}  shows {path}; Ctrl-C ends it")
    threading.Thread(target=_read, args=(watch,), daemon=True).start()  # so that the first visitor does not wait
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    click.echo("ended", err=True)


def _begun(db: Path | None) -> Path:
    """Return the archive to show; wait for that of a run whose start is under way."""
    path = newest_run() if db is None else db
    if is_prepared(path):
        click.echo(f"{path} is being prepared by its start: waiting until it is there", err=True)
        while is_prepared(path):
            time.sleep(_LOOK)
    return path


def _read(watch: LivePage) -> None:
    with contextlib.suppress(EvolveError):  # the visitor is told
        watch.page(now=True)


def _listen(port: int | None) -> socket.socket:
    """Return a socket on the loopback interface. Raises UsageError when the port that was asked for is taken."""
    try:
        return _bound(PORT if port is None else port)
    except OSError as error:
        if port is None:
            return _bound(0)
        raise UsageError(f"port {port} cannot be used ({error.strerror}): leave --port away to get a free one") from error


def _bound(port: int) -> socket.socket:
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen()  # who follows the printed address at once waits instead of being refused
    except OSError:
        listening.close()
        raise
    return listening
