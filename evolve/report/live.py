"""Serves the page of a run on the loopback interface: it only reads, and says when the archive has changed."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archives.archive import Archive
from archives.nouns import ArchiveError
from evolve.queries.leaderboard import LeaderboardRow, ranked
from evolve.report.html.page import policy, render, waiting
from evolve.report.html.parts import KEY, anchor
from evolve.report.html.view import page_of, view
from evolve.text import clean
from fitness.nouns import EvolveError

_LOOK = 0.4  # seconds between two checks of the file
_OURS = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE | re.ASCII)  # a Host of this machine
_PING = 15.0  # seconds after which a silent stream says that it is alive
_GONE = "The run's file is gone: {path} was moved or deleted. What you see is the last that was read of it."


class LivePage:
    """The page of one archive as the server last read it; it is read anew when the file has changed.

    Attributes:
        path: the archive.
    """

    def __init__(self, path: Path, alive: Callable[[Path], bool]) -> None:
        self.path, self._alive = path, alive
        self._lock = threading.Lock()
        self._seen: object = None
        self._page, self._ranked = "", dict[str, LeaderboardRow]()  # by what follows # in a method's address

    def state(self) -> object:
        """Return something that differs after every change of the archive; None when its file is gone."""
        if not self.path.is_file():
            return None
        marks: list[object] = [self._alive(self.path)]
        for file in (self.path, self.path.with_name(f"{self.path.name}-wal")):
            try:
                facts = file.stat()
                marks += [facts.st_ino, facts.st_size, facts.st_mtime_ns]
            except OSError:
                marks.append(None)
        return tuple(marks)

    def page(self, *, now: bool) -> str:
        """Return the page, as it is `now` or as it was last read. Raises ArchiveError when the file is gone or unreadable."""
        if self.state() is None:
            raise ArchiveError(self.gone)
        if not now:
            return self._page or waiting(self.path.name)
        with self._lock:
            state = self.state()
            if state != self._seen:
                with contextlib.closing(Archive.open(self.path)) as archive:
                    shown = view(archive, alive=self._alive(self.path), live=True)
                self._page, self._ranked = render(shown), {anchor(row.method): row for row in shown.methods}
                self._seen = state
            return self._page

    def method(self, key: str) -> str:
        """Return the page of the method whose id begins with `key`. Raises ArchiveError when there is none."""
        if not self.path.is_file():
            raise ArchiveError(self.gone)
        with contextlib.closing(Archive.open(self.path)) as archive, archive.transaction():
            if row := self._ranked.get(f"m-{key}"):
                return page_of(archive, row.method, row)
            rows = archive.rows("select id from methods where id >= ? and id < ? order by id limit 1", [key, key + "g"])
            if not rows:
                raise ArchiveError(f"This run holds no method whose id begins with {key}.")
            method = str(rows[0]["id"])
            return page_of(archive, method, ranked(archive, method))

    @property
    def gone(self) -> str:
        """The sentence for a file that is no longer there."""
        return _GONE.format(path=self.path)


def application(watch: LivePage, stopping: Callable[[], bool]) -> ASGIApp:
    """Return the server's application; it answers to names of this machine only, and ends its streams when `stopping`."""

    async def page(request: Request) -> Response:
        now = "now" in request.query_params  # a page that is opened shows at once what is known; its script then asks for more
        return HTMLResponse(await asyncio.to_thread(watch.page, now=now))

    async def method(request: Request) -> Response:
        key = request.path_params["key"]
        if not re.fullmatch(rf"[0-9a-f]{{1,{KEY}}}", key):
            return PlainTextResponse("This is not the beginning of a method's id.", 404)
        return HTMLResponse(await asyncio.to_thread(watch.method, key))

    async def events(_: Request) -> Response:
        return StreamingResponse(_changes(watch, stopping), media_type="text/event-stream")

    async def unreadable(_: Request, error: Exception) -> Response:
        return PlainTextResponse(clean(str(error)), 503)

    routes = [Route("/", page), Route("/method/{key}", method), Route("/events", events)]
    return _Guard(Starlette(routes=routes, exception_handlers={EvolveError: unreadable}))


async def _changes(watch: LivePage, stopping: Callable[[], bool]) -> AsyncIterator[str]:
    """Yield an event when the stream begins, so that nothing is missed before it, and after every change."""
    seen: object = ()
    quiet = time.monotonic()
    while not stopping():
        state = await asyncio.to_thread(watch.state)
        if state != seen:
            seen, quiet = state, time.monotonic()
            yield "event: changed\ndata: \n\n" if state is not None else f"event: gone\ndata: {clean(watch.gone)}\n\n"
        elif time.monotonic() - quiet > _PING:
            quiet = time.monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(_LOOK)


class _Guard:
    """Refuses what no page of ours asks for, and marks every answer as for our page alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        fixed = {
            "content-security-policy": f"{policy(live=True)}; frame-ancestors 'none'",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
            "cross-origin-resource-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
        }
        self._headers = [(name.encode(), value.encode()) for name, value in fixed.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        refusal = self._refusal(scope) if scope["type"] == "http" else ""
        await (PlainTextResponse(refusal, 403) if refusal else self._app)(scope, receive, marked)

    def _refusal(self, scope: Scope) -> str:
        """Return why a request is refused; empty for one of ours.

        The port may be that of a tunnel. A name that only resolves to this machine is not enough: any site can have one.
        """
        told = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(told) != 1 or not _OURS.fullmatch(told[0]):
            return "This page answers at 127.0.0.1 or localhost, also through a tunnel, and at no other name."
        if scope["method"] not in ("GET", "HEAD"):
            return "This page only reads."
        headers = dict(scope["headers"])
        if headers.get(b"sec-fetch-site") == b"cross-site" and headers.get(b"sec-fetch-mode") != b"navigate":
            return "Another site's page asked for this."
        return ""
