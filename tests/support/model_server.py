"""A local HTTP server that speaks chat completions and Anthropic's messages, and really edits the parent in the prompt.

    python tests/support/model_server.py --port 8000
    python -m evolve start --model openai:tiny --base-url http://127.0.0.1:8000/v1

It is no language model: it changes constants and adds statements, in either format that the operators ask for. Its answer
depends on the seed, the prompt, and how often that prompt came before, never on the time or the order of other requests.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

try:
    from tests.support.model_dialects import DIALECTS, Chat, Messages, Spoken
    from tests.support.model_edits import Change, crossed, direction, edited, shown_as_diff, shown_as_file
    from tests.support.model_faults import (
        ELSEWHERE,
        FAULTS,
        NO_USAGE,
        ODD,
        Fault,
        Served,
        body_of,
        key_in,
        misbehave,
        refusal_of,
    )
except ModuleNotFoundError:  # run by hand: this folder is on the path, the checkout is not
    from model_dialects import DIALECTS, Chat, Messages, Spoken
    from model_edits import Change, crossed, direction, edited, shown_as_diff, shown_as_file
    from model_faults import ELSEWHERE, FAULTS, NO_USAGE, ODD, Fault, Served, body_of, key_in, misbehave, refusal_of

PARENTS = re.compile(r"^## Parent \d+: [^\n]*\n\n(?:- [^\n]*\n)*\n*(`{3,})python\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
PARSING = threading.Lock()  # CPython 3.11 counts the depth of an AST in one place for all threads
DIRECTION = re.compile(r"^> (.*)$", re.MULTILINE)
SKETCH, TRIAL = "A sketch:\n\n```python\nstep = 0.5\n```\n\nThe file:", "\n\nTo try it:\n\n```python\nprint(method)\n```\n"
HUGE = 200_000  # characters
THOUGHTS = 321  # tokens of what `thinking` thinks


class ModelServer:
    """The server in a thread, on a loopback port; a context manager."""

    def __init__(self, faults: Sequence[Fault | None] = (), *, seed: int = 0, port: int = 0) -> None:
        """`faults` go to the requests in order, None meaning a good answer; when they are used up, all answers are good."""
        self.seed = seed
        self.served: list[Served] = []
        self.strays: list[dict[str, str]] = []  # headers of the requests that followed a redirect
        self.requests: list[dict[str, Any]] = []  # bodies of all others, and their `headers`
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()
        self._faults = list(faults)
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"app": self}))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """The base URL to give as --base-url."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def root(self) -> str:
        """The base URL to give as ANTHROPIC_BASE_URL."""
        return self.url.removesuffix("/v1")

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving and free the port."""
        self.closing.set()
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()

    def wait(self) -> None:
        """Block until the server stops."""
        self._thread.join()

    def next_fault(self) -> Fault | None:
        """Take the fault of the next request."""
        with self._lock:
            return self._faults.pop(0) if self._faults else None

    def rng(self, prompt: str) -> random.Random:
        """Return the generator for an answer: the same prompt asked again gets another one."""
        with self._lock:
            self._asked[prompt] += 1
            text = f"{self.seed}/{self._asked[prompt]}/{prompt}"
        return random.Random(hashlib.sha256(text.encode("utf-8", "replace")).digest())

    def record(self, served: Served) -> None:
        """Count an answered request."""
        with self._lock:
            self.served.append(served)


def answer(system: str, prompt: str, rng: random.Random, fault: str = "") -> str:
    """Return what the model says: an idea and an edit of the prompt's parents, or a direction, in the format asked for."""
    parents, asked = [found[2] + "\n" for found in PARENTS.finditer(prompt)], prompt[prompt.rfind("# Your turn") :]
    if "DIRECTION: " in asked and not fault:
        return direction("\n".join(DIRECTION.findall(prompt)), rng)
    if not parents or fault == "no_code":
        return "I would train longer on the confident examples, but I have no file to show."
    as_diff, stated = "<<<<<<< SEARCH" in asked, "HYPOTHESIS" if "HYPOTHESIS: " in asked else "IDEA"
    if fault == "wrong_function":
        return "IDEA: a helper\n\n```python\ndef helper(problem):\n    return problem.weak\n```\n"
    if fault in ("crashing", "forbidden"):
        does = "raise ValueError" if fault == "crashing" else "import os"
        return f"{stated}: it {fault}\n\n```python\ndef method(problem):\n    {does}\n    return {rng.random()}\n```\n"
    if fault == "unmatched":
        return "IDEA: a longer run\n\n<<<<<<< SEARCH\nthis line is in no parent\n=======\nnor is this\n>>>>>>> REPLACE\n"
    if "VARIANT: " in asked:
        return variants(parents[0], rng)
    change = crossed(*parents[:2], rng) if len(parents) > 1 else edited(parents[0], rng)
    change = Change("leave it as it is", ()) if fault == "unchanged" else change
    body = shown_as_diff(parents[0], change) if as_diff else shown_as_file(parents[0], change)
    return f"{stated}: {change.idea}\n\n{body}"


def variants(parent: str, rng: random.Random) -> str:
    """Return the answer of the operator `trial` before it writes: one variant as an edit, one as a whole file."""
    first, second = edited(parent, rng), edited(parent, rng)
    shown = (first, shown_as_diff(parent, first)), (second, shown_as_file(parent, second))
    return "\n".join(f"VARIANT: {change.idea}, to see whether it matters\n\n{text}" for change, text in shown)


class _Handler(BaseHTTPRequestHandler):
    app: ModelServer
    dialect: Chat | Messages
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        models = {"object": "list", "data": [{"id": "tiny", "object": "model", "owned_by": "tests"}]}
        self._send(200 if self.path.partition("?")[0] == "/v1/models" else 404, models)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == ELSEWHERE:
            self.app.strays.append(dict(self.headers))
        if self.path not in DIALECTS:
            return self._send(404, DIALECTS["/v1/chat/completions"].error(f"no route {self.path}", "not_found"))
        self.dialect = DIALECTS[self.path]
        try:
            request = json.loads(raw)
            model, system, prompt = self.dialect.asked(request)
        except (ValueError, LookupError, TypeError):
            return self._send(400, self.dialect.error("the request is not of this protocol", "invalid_request_error"))
        self.app.requests.append(request)
        self.app.headers.append(dict(self.headers))
        fault = self.app.next_fault()
        if fault and self._failed(fault, system, prompt):
            return None
        return self._complete(model, system, prompt, fault.kind if fault else "")

    def _complete(self, model: str, system: str, prompt: str, fault: str) -> None:
        with PARSING:
            text, finish, refusal = answer(system, prompt, self.app.rng(prompt), fault), "stop", None
        if fault == "truncated":
            text, finish = text[: len(text) // 2], "length"
        elif fault in ("empty", "no_choices"):
            text = ""
        elif fault == "refusal":
            text, refusal = "", "I cannot help with that."
        elif fault == "three_blocks":
            text = text.replace("\n\n", f"\n\n{SKETCH}\n\n", 1) + TRIAL
        elif fault == "huge":
            text = (text + "\n# and so on" * HUGE)[:HUGE]
        elif fault == "leaky_answer":
            sent = f"Bearer {key_in(dict(self.headers))} {self.headers.get('Authorization')}"
            text = text.replace("IDEA: ", f"IDEA: {sent} ").replace("```python\n", f"```python\n# {sent}\n")
        cached, reasoning = _tokens(system) * (fault == "cached"), THOUGHTS * (fault == "thinking")
        tokens = _tokens(system) + _tokens(prompt), _tokens(text) + reasoning
        told: Any = tokens
        if fault in NO_USAGE:
            tokens, told = (0, 0), (ODD[0], ODD[1]) if fault == "odd_counts" else None
        spoken = Spoken(model, text, finish, refusal, told, cached, ODD[2] if fault == "odd_counts" else reasoning)
        self.app.record(Served(200, fault, system, prompt, text, *tokens, cached, reasoning))
        self._send(200, self.dialect.body(spoken, nothing=fault == "no_choices"))

    def _failed(self, fault: Fault, system: str, prompt: str) -> bool:
        """Do what the fault says; False when the answer itself is what goes wrong."""
        refused, body = refusal_of(fault, dict(self.headers), self.app.port), body_of(fault.kind)
        status = refused[0] if refused else 500 if fault.kind == "error_flood" else 200
        if fault.kind == "slow":
            self.app.closing.wait(fault.seconds)
        elif refused or body is not None or fault.kind in ("hang_up", "drip", "flood", "error_flood", "bomb"):
            self.app.record(Served(status, fault.kind, system, prompt, "", 0, 0))
            if refused:
                _, headers, message, code = refused
                self._send(status, self.dialect.error(message, code) if message else b"", headers)
            elif body is not None:
                self._send(200, body)
            else:
                self.close_connection = True
                misbehave(fault, self._start, self.wfile.write, self.app.closing)
            return True
        return False

    def _start(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            self._start(status, {"Content-Length": str(len(payload)), **(headers or {})})
            self.wfile.write(payload)
        except OSError:  # the client has given up waiting
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: tests read `served`."""


def _tokens(text: str) -> int:
    """Count tokens as words and signs; any fixed count does, as long as client and server agree on it."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--fault", action="append", default=[], metavar="KIND[:SECONDS]", help=f"for the next request: {', '.join(FAULTS)}"
    )
    options = parser.parse_args()
    pairs = [text.partition(":") for text in options.fault]
    with ModelServer(
        [Fault(kind, float(seconds or 0)) for kind, _, seconds in pairs], seed=options.seed, port=options.port
    ) as server:
        print(f"serving {server.url}", flush=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            print(f"{len(server.served)} requests answered")


if __name__ == "__main__":
    main()
