"""A reply that broke off is told from one that ended, whatever the server calls it, over both protocols."""

import json

import pytest

from evolve import models
from evolve.models import Settings
from evolve.models.retry import Patience
from evolve.nouns import UnusableAnswer
from tests.support.canned_server import METHOD, Canned, CannedServer, completion, events, in_turn, message

HALF = METHOD[: len(METHOD) // 2]


def ask(answer, provider, monkeypatch, **settings):
    with CannedServer(in_turn(answer)) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
        given = Settings(patience=Patience(attempts=1), **settings)
        return models.load(f"{provider}:tiny", server.url, settings=given).ask("s", "p")


@pytest.mark.parametrize("finish", ["stop", "STOP", "eos", "end_turn", "eos_token"])
def test_a_normal_end_is_an_answer(finish, monkeypatch):
    assert ask(completion(finish=finish), "openai", monkeypatch).text == METHOD


@pytest.mark.parametrize(
    ("finish", "sentence"),
    [
        ("error", r"broke off \(error\)$"),
        ("network_error", r"broke off \(network_error\)$"),
        ("insufficient_system_resource", "broke off"),
        ("abort", "broke off"),
        ("tool_calls", "broke off"),
        ("a\x1b[31mword of its own", r"broke off \(a \[31mword of its own\)$"),
        (None, r"broke off \(the server does not say that it ended\)$"),
        ("", "broke off"),
        ("MAX_TOKENS", "cut short after 5 tokens"),
        ("model_length", "cut short after 5 tokens"),
        ("SAFETY", "withheld by the server's content filter"),
        ("recitation", "withheld by the server's content filter"),
    ],
)
def test_a_reply_that_broke_off_is_not_taken_as_whole(finish, sentence, monkeypatch):
    with pytest.raises(UnusableAnswer, match=sentence) as caught:
        ask(completion(HALF, finish), "openai", monkeypatch)
    assert caught.value.reply.text == HALF
    assert caught.value.reply.usage.tokens_out == 5, "what was paid is kept"


def test_an_error_beside_half_a_reply_is_told(monkeypatch):
    choice = {"message": {"content": HALF}, "finish_reason": "stop", "error": {"code": 502, "message": "the host is gone"}}
    with pytest.raises(UnusableAnswer, match=r"broke off \(stop: the host is gone\)"):
        ask(completion(choices=[choice]), "openai", monkeypatch)


@pytest.mark.parametrize("stop", ["pause_turn", "tool_use", "a_new_one", None])
def test_claude_broke_off_too(stop, monkeypatch):
    with pytest.raises(UnusableAnswer, match="broke off"):
        ask(message(HALF, stop), "anthropic", monkeypatch)
    assert ask(message(stop="stop_sequence"), "anthropic", monkeypatch).text == METHOD


def chunks(*texts, finish=None):
    deltas = [{"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in texts]
    return [*deltas, {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}]


def test_a_stream_that_ended_as_its_protocol_says_is_whole(monkeypatch):
    assert ask(events(*chunks("a", "b\u2028c", finish="stop"), end=""), "openai", monkeypatch).text == "ab\u2028c"
    assert ask(events(*chunks("a", "b")), "openai", monkeypatch).text == "ab", "[DONE] is an end, too"


CHUNKS = chunks("a", "b", finish="stop")


@pytest.mark.parametrize(
    "body",
    [
        "".join("data: " + json.dumps(chunk, indent=1).replace("\n", "\ndata: ") + "\n\n" for chunk in CHUNKS),
        "".join(f"data:{json.dumps(chunk)}\n" for chunk in CHUNKS),
        "".join(f"id: 1\r\nevent: message\r\ndata: {json.dumps(chunk)}\r\n\r\n" for chunk in CHUNKS),
        "\n".join(map(json.dumps, CHUNKS)),
        "\r\n".join(map(json.dumps, CHUNKS)) + "\r\n",
        "\ufeff" + events(*CHUNKS).body,
        "\ufeff" + json.dumps(completion("ab").body),
    ],
    ids=[
        "data over several lines",
        "no blank lines",
        "named",
        "a line each",
        "a line each, CRLF",
        "mark",
        "mark, one document",
    ],
)
def test_a_stream_is_read_however_its_events_are_written(body, monkeypatch):
    assert ask(Canned(200, body), "openai", monkeypatch).text == "ab"


def test_lines_of_documents_that_were_cut_are_not_whole(monkeypatch):
    body = "\n".join(map(json.dumps, CHUNKS))
    with pytest.raises(UnusableAnswer, match="does not say that it ended"):
        ask(Canned(200, body[:-10]), "openai", monkeypatch)


PARTS = [
    {"type": "reasoning", "text": "DRAFT"},
    {"type": "thinking", "text": "DRAFT"},
    {"type": "text", "thought": True, "text": "DRAFT"},
    {"type": "thinking", "thinking": [{"type": "text", "text": "DRAFT"}]},
    {"type": "reasoning.summary", "text": "DRAFT"},
    {"type": ["text"], "text": "DRAFT"},
]
WHOLE = [{"type": "text", "text": "h"}, {"text": "i"}, {"type": "output_text", "text": "!"}]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_an_answer_that_is_a_thought_is_not_said(part, monkeypatch):
    assert ask(completion([part, *WHOLE]), "openai", monkeypatch).text == "hi!"
    assert ask(events(*chunks([part], WHOLE, finish="stop")), "openai", monkeypatch).text == "hi!"


def test_a_thought_in_a_stream_of_claude_is_not_said(monkeypatch):
    kinds = ("thinking_delta", "text_delta", "reasoning_delta")
    deltas = [{"type": "content_block_delta", "delta": {"type": kind, "text": kind[:4]}} for kind in kinds]
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    assert ask(events(*deltas, end, named=True, end=""), "anthropic", monkeypatch).text == "text"


@pytest.mark.parametrize("end", ["", 'data: {"choices": [{"del', ": keep-alive\n\n"])
def test_a_stream_that_was_cut_is_not_whole(end, monkeypatch):
    with pytest.raises(UnusableAnswer, match="does not say that it ended") as caught:
        ask(events(*chunks("a", "b"), end=end), "openai", monkeypatch)
    assert caught.value.reply.text == "ab"


def test_an_error_in_a_stream_ends_it(monkeypatch):
    broken = {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}], "error": {"message": "gone"}}
    with pytest.raises(UnusableAnswer, match=r"broke off \(error: gone\)"):
        ask(events(*chunks("a")[:1], broken), "openai", monkeypatch)


def test_a_whole_document_cannot_claim_the_end_of_a_stream(monkeypatch):
    with pytest.raises(UnusableAnswer, match="broke off"):
        ask(completion(HALF, None, ended=True), "openai", monkeypatch)
