"""A local HTTP server that speaks the chat-completions protocol and really edits the parent it finds in the prompt.

    python tests/model_server.py --port 8000
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
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

try:
    from tests.model_edits import Change, crossed, direction, edited, shown_as_diff, shown_as_file
except ModuleNotFoundError:  # run by hand: this folder is on the path, the checkout is not
    from model_edits import Change, crossed, direction, edited, shown_as_diff, shown_as_file

PARENTS = re.compile(r"^## Parent \d+: [^\n]*\n\n(`{3,})python\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
DIRECTION = re.compile(r"^> (.*)$", re.MULTILINE)
FAULTS = {
    "rate_limit": "429 with Retry-After",
    "server_error": "500",
    "unavailable": "503 without a body",
    "unauthorized": "401 that repeats the key it was sent",
    "leaky_error": "400 that repeats every header it was sent",
    "leaky_answer": "a good answer whose idea and code repeat the Authorization header",
    "malformed": "200 with broken JSON",
    "hang_up": "the connection is cut after the headers",
    "slow": "the answer waits until the server closes or `seconds` have passed",
    "no_choices": "200 with an empty list of choices",
    "empty": "an answer of no characters",
    "truncated": "an answer cut in the middle, finish_reason length",
    "refusal": "the model refuses",
    "no_code": "an answer without code",
    "wrong_function": "code that defines something else",
    "unmatched": "an edit of lines that the parent does not have",
    "unchanged": "the parent as it was",
}


@dataclass(frozen=True)
class Fault:
    """One thing to go wrong: a key of FAULTS; `seconds` is what Retry-After says, or how long `slow` takes."""

    kind: str
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ValueError(f"unknown fault {self.kind!r}: the faults are {', '.join(FAULTS)}")


@dataclass(frozen=True)
class Served:
    """One answered request, as the server counts it; tokens are 0 when it sent no usage."""

    status: int
    fault: str
    system: str
    prompt: str
    reply: str
    tokens_in: int
    tokens_out: int


class ModelServer:
    """The server in a thread, on a loopback port; a context manager."""

    def __init__(self, faults: Sequence[Fault | None] = (), *, seed: int = 0, port: int = 0) -> None:
        """`faults` go to the requests in order, None meaning a good answer; when they are used up, all answers are good."""
        self.seed = seed
        self.served: list[Served] = []
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
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

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
    if fault == "unmatched":
        return "IDEA: a longer run\n\n<<<<<<< SEARCH\nthis line is in no parent\n=======\nnor is this\n>>>>>>> REPLACE\n"
    change = crossed(*parents[:2], rng) if len(parents) > 1 else edited(parents[0], rng)
    change = Change("leave it as it is", ()) if fault == "unchanged" else change
    body = shown_as_diff(parents[0], change) if as_diff else shown_as_file(parents[0], change)
    return f"{stated}: {change.idea}\n\n{body}"


class _Handler(BaseHTTPRequestHandler):
    app: ModelServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        models = {"object": "list", "data": [{"id": "tiny", "object": "model", "owned_by": "tests"}]}
        self._send(200 if self.path == "/v1/models" else 404, models)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/v1/chat/completions":
            return self._send(404, _error(f"no route {self.path}", "not_found"))
        try:
            request = json.loads(raw)
            by_role = {message["role"]: str(message["content"]) for message in request["messages"]}
            system, prompt, model = by_role.get("system", ""), by_role["user"], str(request["model"])
        except (ValueError, KeyError, TypeError):
            return self._send(400, _error("the request is no chat completion", "invalid_request_error"))
        fault = self.app.next_fault()
        if fault and self._failed(fault, system, prompt):
            return None
        return self._complete(model, system, prompt, fault.kind if fault else "")

    def _complete(self, model: str, system: str, prompt: str, fault: str) -> None:
        text, finish, refusal = answer(system, prompt, self.app.rng(prompt), fault), "stop", None
        if fault == "truncated":
            text, finish = text[: len(text) // 2], "length"
        elif fault == "empty":
            text = ""
        elif fault == "refusal":
            text, refusal = "", "I cannot help with that."
        elif fault == "leaky_answer":
            sent = self.headers.get("Authorization") or ""
            text = text.replace("IDEA: ", f"IDEA: {sent} ").replace("```python\n", f"```python\n# {sent}\n")
        tokens_in, tokens_out = _tokens(system) + _tokens(prompt), _tokens(text)
        message = {"role": "assistant", "content": text, "refusal": refusal}
        body = {
            "id": f"chatcmpl-{len(self.app.served)}",
            "object": "chat.completion",
            "created": 0,
            "model": model,
            "choices": [] if fault == "no_choices" else [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out},
        }
        self.app.record(Served(200, fault, system, prompt, text, tokens_in, tokens_out))
        self._send(200, body)

    def _failed(self, fault: Fault, system: str, prompt: str) -> bool:
        """Do what the fault says; False when the answer itself is what goes wrong."""
        headers: dict[str, str] = {}
        status, body = 200, b""
        match fault.kind:
            case "rate_limit":
                status, headers = 429, {"Retry-After": f"{fault.seconds:g}"}
                body = _error("slow down", "rate_limit_exceeded")
            case "server_error":
                status, body = 500, _error("something broke", "server_error")
            case "unavailable":
                status = 503
            case "unauthorized":
                key = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
                status, body = 401, _error(f"Incorrect API key provided: {key}", "invalid_api_key")
            case "leaky_error":
                status, body = 400, _error(f"bad request: {dict(self.headers)}", "invalid_request_error")
            case "malformed":
                body = b'{"id": "chatcmpl-0", "choices": [{"message": {"content": "IDEA: '
            case "hang_up":
                self._start(200, {"Content-Length": "1000"})
                self.close_connection = True
            case "slow":
                self.app.closing.wait(fault.seconds)
                return False
            case _:
                return False
        self.app.record(Served(status, fault.kind, system, prompt, "", 0, 0))
        if fault.kind != "hang_up":
            self._send(status, body, headers)
        return True

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


def _error(message: str, code: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": code, "code": code, "param": None}}).encode()


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
