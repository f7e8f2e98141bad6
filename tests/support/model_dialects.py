"""The two protocols that the model server speaks: chat completions, and Anthropic's messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Spoken:
    """An answer before it is put into a protocol; `tokens` is None when nothing is to be said about them."""

    model: str
    text: str
    finish: str
    refusal: str | None
    tokens: Any
    cached: int
    reasoning: int


class Chat:
    """POST /v1/chat/completions."""

    path = "/v1/chat/completions"

    def asked(self, request: dict[str, Any]) -> tuple[str, str, str]:
        """Return the model, the system text and the prompt. Raises KeyError or TypeError when it is no request."""
        by_role = {message["role"]: str(message["content"]) for message in request["messages"]}
        return str(request["model"]), by_role.get("system", ""), by_role["user"]

    def body(self, spoken: Spoken, *, nothing: bool = False) -> dict[str, Any]:
        """Return an answer; with `nothing`, one that has no choices."""
        message = {"role": "assistant", "content": spoken.text, "refusal": spoken.refusal}
        body: dict[str, Any] = {"id": "chatcmpl-0", "object": "chat.completion", "created": 0, "model": spoken.model}
        body["choices"] = [] if nothing else [{"index": 0, "message": message, "finish_reason": spoken.finish}]
        if spoken.tokens:
            tokens_in, tokens_out = spoken.tokens
            body["usage"] = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}
            body["usage"]["prompt_tokens_details"] = {"cached_tokens": spoken.cached}
            body["usage"]["completion_tokens_details"] = {"reasoning_tokens": spoken.reasoning}
        return body

    def error(self, message: str, code: str) -> dict[str, Any]:
        """Return the body of an HTTP error."""
        return {"error": {"message": message, "type": code, "code": code, "param": None}}


class Messages:
    """POST /v1/messages."""

    path = "/v1/messages"

    def asked(self, request: dict[str, Any]) -> tuple[str, str, str]:
        """Return the model, the system text and the prompt. Raises KeyError or TypeError when it is no request."""
        if request["max_tokens"] < 1:
            raise KeyError("max_tokens")
        system = "".join(block["text"] for block in request.get("system", []))
        return str(request["model"]), system, str(request["messages"][0]["content"])

    def body(self, spoken: Spoken, *, nothing: bool = False) -> dict[str, Any]:
        """Return an answer; with `nothing`, one that has no content."""
        blocks: list[dict[str, Any]] = []
        if spoken.reasoning:
            blocks.append({"type": "thinking", "thinking": "I weigh it.", "signature": "c2ln"})
        if spoken.text:
            blocks.append({"type": "text", "text": spoken.text})
        stop = "refusal" if spoken.refusal else {"stop": "end_turn", "length": "max_tokens"}[spoken.finish]
        body: dict[str, Any] = {"id": "msg_0", "type": "message", "role": "assistant", "model": spoken.model}
        body |= {"content": [] if nothing else blocks, "stop_reason": stop, "stop_sequence": None}
        if spoken.refusal:
            body["stop_details"] = {"type": "refusal", "explanation": spoken.refusal}
        if spoken.tokens:
            tokens_in, tokens_out = spoken.tokens
            usage = {"input_tokens": tokens_in - spoken.cached if spoken.cached else tokens_in, "output_tokens": tokens_out}
            usage |= {"cache_read_input_tokens": spoken.cached, "cache_creation_input_tokens": 0}
            body["usage"] = {**usage, "output_tokens_details": {"thinking_tokens": spoken.reasoning}}
        return body

    def error(self, message: str, code: str) -> dict[str, Any]:
        """Return the body of an HTTP error."""
        return {"type": "error", "error": {"type": code, "message": message}}


DIALECTS = {dialect.path: dialect for dialect in (Chat(), Messages())}
