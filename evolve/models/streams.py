"""Puts the events of a streamed answer together into the document that the server would have sent at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from evolve.models.answers import ENDED, is_said, table, text
from evolve.models.refusals import error_in, parsed

_LINE = re.compile(r"\r\n|\n|\r")
_FIELD = re.compile(r"^(?:data|event|id|retry)?:", re.MULTILINE)


def document_in(body: str) -> Any:
    """Return a body's document, put together when it is a stream of events; None when it is neither."""
    whole = parsed(body)
    if whole is not None:
        return {name: value for name, value in whole.items() if name != ENDED} if isinstance(whole, dict) else whole
    events, ended = _events(body if _FIELD.match(body.lstrip()) else _as_events(body))
    if not events:
        return None
    kinds = {event.get("type") for event in events}
    return _message(events) if kinds & {"message_start", "content_block_delta"} else _completion(events, ended)


def _events(body: str) -> tuple[list[dict[str, Any]], bool]:
    """Return the documents of a stream, and whether it came to the end that its protocol has."""
    events, ended = [], False
    for name, lines in _dispatched(body):
        ended = ended or "[DONE]" in lines
        whole = parsed("\n".join(lines))
        found = [parsed(line) for line in lines] if whole is None else [whole]  # some servers leave out the blank line
        found = [event for event in found if isinstance(event, dict)]  # not the end mark, nor a line that was cut
        if name == "error" and not any(event.get("error") for event in found):
            found = [{"error": found[0] if found else {"message": " ".join(lines)}}]
        events += found
    return events, ended


def _dispatched(body: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each event's name and lines of data (HTML 9.2.6)."""
    name, lines = "", []
    for line in (*_LINE.split(body), ""):
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        elif field == "data":
            lines.append(value.strip())
        elif not line:
            if lines:
                yield name, lines
            name, lines = "", []


def _as_events(body: str) -> str:
    """Return lines that are a document each as a stream of events."""
    return "".join(f"data:{line}\n\n" for line in _LINE.split(body) if line.lstrip().startswith("{"))


def _completion(events: list[dict[str, Any]], ended: bool) -> dict[str, Any]:
    """Return a chat completion of its chunks."""
    said: list[str] = []
    refusal: list[str] = []
    choice: dict[str, Any] = {}
    whole: dict[str, Any] = {ENDED: ended}
    for event in events:
        whole |= {name: event[name] for name in ("usage", "error") if event.get(name)}
        error = None if "choices" in event else error_in(event)
        whole |= {"error": error} if error else {}
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
        said += [text(part.get("text")) for part in (table(event.get("content_block")), delta) if is_said(part)]
    return {**whole, "content": [{"type": "text", "text": "".join(said)}]}
