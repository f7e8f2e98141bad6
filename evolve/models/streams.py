"""Puts the events of a streamed answer together into the document that the server would have sent at once."""

from __future__ import annotations

import json
import re
from typing import Any

from evolve.models.answers import ENDED, table, text

_LINE = re.compile(r"\r\n|\n|\r")
_FIELD = re.compile(r"^(?:data|event|id|retry)?:", re.MULTILINE)


def document_in(body: str) -> Any:
    """Return a body's document, put together when it is a stream of events; None when it is neither."""
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        whole = None
    if whole is not None:
        return {name: value for name, value in whole.items() if name != ENDED} if isinstance(whole, dict) else whole
    if not _FIELD.match(body.lstrip()):
        return None
    events, ended = _events(body)
    if not events:
        return None
    kinds = {event.get("type") for event in events}
    return _message(events) if kinds & {"message_start", "content_block_delta"} else _completion(events, ended)


def _events(body: str) -> tuple[list[dict[str, Any]], bool]:
    """Return the documents of a stream, and whether it came to the end that its protocol has."""
    events, ended = [], False
    for line in _LINE.split(body):
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        ended = ended or data == "[DONE]"
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):  # the end mark, or a line that was cut
            continue
        if isinstance(event, dict):
            events.append(event)
    return events, ended


def _completion(events: list[dict[str, Any]], ended: bool) -> dict[str, Any]:
    """Return a chat completion of its chunks."""
    said: list[str] = []
    refusal: list[str] = []
    choice: dict[str, Any] = {}
    whole: dict[str, Any] = {ENDED: ended}
    for event in events:
        whole |= {name: event[name] for name in ("usage", "error") if event.get(name)}
        for found in event["choices"] if isinstance(event.get("choices"), list) else ():
            if table(found).get("index") not in (None, 0):
                continue
            delta = table(table(found).get("delta")) or table(table(found).get("message"))
            said.append(text(delta.get("content")))
            refusal.append(text(delta.get("refusal")))
            choice |= {name: found[name] for name in ("finish_reason", "error") if table(found).get(name)}
    if any("choices" in event for event in events):
        whole["choices"] = [{**choice, "message": {"content": "".join(said), "refusal": "".join(refusal)}}]
    return whole


def _message(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a message of Anthropic's events."""
    said: list[str] = []
    whole: dict[str, Any] = {"usage": {}}
    for event in events:
        start, delta = table(event.get("message")), table(event.get("delta"))
        whole["usage"] |= table(start.get("usage")) | table(event.get("usage"))
        whole |= {name: delta[name] for name in ("stop_reason", "stop_details") if delta.get(name)}
        whole |= {"error": event["error"]} if event.get("error") else {}
        said.append(text(table(event.get("content_block")).get("text")) + text(delta.get("text")))
    return {**whole, "content": [{"type": "text", "text": "".join(said)}]}
