"""A local HTTP server that answers with what a test has put together by hand, and remembers what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

METHOD = "IDEA: x\n\n```python\ndef method(problem):\n    return problem.weak[:, 1]\n```\n"


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; `body` is None when there was none."""

    verb: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Canned:
    """An answer; a `body` that is no text is sent as JSON."""

    status: int = 200
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)


def completion(text: str = METHOD, finish: str | None = "stop", **more: Any) -> Canned:
    """Return a chat completion; without a finish reason when that is None."""
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": text}}
    choice |= {} if finish is None else {"finish_reason": finish}
    return Canned(200, {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 5}} | more)


def message(text: str = METHOD, stop: str | None = "end_turn") -> Canned:
    """Return an answer in Anthropic's protocol."""
    usage = {"input_tokens": 7, "output_tokens": 5}
    return Canned(200, {"content": [{"type": "text", "text": text}], "stop_reason": stop, "usage": usage})


def events(*documents: Any, named: bool = False, end: str = "data: [DONE]\n\n") -> Canned:
    """Return a stream of events, with their types as names where the protocol has them."""
    lines = [(f"event: {d['type']}\n" if named else "") + f"data: {json.dumps(d)}\n\n" for d in documents]
    return Canned(200, "".join(lines) + end, {"Content-Type": "text/event-stream"})


def refusal(status: int, said: str, **more: Any) -> Canned:
    """Return an HTTP error with a message."""
    return Canned(status, {"error": {"message": said} | more})


class CannedServer:
    """The server in a thread, on a loopback port; a context manager. `answer` is given each request."""

    def __init__(self, answer: Callable[[Asked], Canned]) -> None:
        self.asked: list[Asked] = []
        self.answer = answer
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"app": self}))
        self._http.daemon_threads = True

    @property
    def root(self) -> str:
        """The URL without a path."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def url(self) -> str:
        """The base URL to give as --base-url."""
        return f"{self.root}/v1"

    @property
    def posted(self) -> list[Any]:
        """The bodies of what was posted."""
        return [asked.body for asked in self.asked if asked.verb == "POST"]

    def __enter__(self) -> CannedServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


def in_turn(*answers: Canned) -> Callable[[Asked], Canned]:
    """Return what gives these answers in turn, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


class _Handler(BaseHTTPRequestHandler):
    app: CannedServer
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, self.path, dict(self.headers), json.loads(raw) if raw else None)
        self.app.asked.append(asked)
        answer = self.app.answer(asked)
        content = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_CONNECT = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: tests read `asked`."""
