"""What a server wants a request to hold is learnt from its first refusal, and asked for as long as the model lives."""

import pytest

from evolve import models
from evolve.config import parse_set, resolve
from evolve.errors import ModelError, UsageError
from evolve.models import Settings
from evolve.models.retry import Patience
from evolve.nouns import UnusableAnswer
from tests.support.canned_server import METHOD, Canned, CannedServer, completion, events, in_turn, message, refusal


def load(server, provider="openai", **settings):
    return models.load(f"{provider}:tiny", server.url, settings=Settings(patience=Patience(attempts=1), **settings))


def wants(is_good, said, good=completion, status=400):
    """Return a server's answers: good ones to requests that it likes, else its wish."""
    refused = said if isinstance(said, Canned) else refusal(status, said, type="invalid_request_error")
    return lambda asked: (good() if is_good(asked.body) else refused) if asked.verb == "POST" else Canned(404, "")


NEW_NAME = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."


@pytest.mark.parametrize(
    "said",
    [
        NEW_NAME,
        "max_completion_tokens is required",
        "Please use max_completion_tokens",
        "max_tokens is no longer supported; set max_completion_tokens",
        "max_tokens is not a valid parameter. Did you mean max_completion_tokens?",
        "You must provide max_completion_tokens",
        "'max_tokens' cannot be used with reasoning models, set 'max_completion_tokens'",
        "Expected max_completion_tokens",
        "max_tokens and max_completion_tokens cannot both be set",
        Canned(422, {"detail": [{"loc": ["body", "max_tokens"], "msg": "Extra inputs are not permitted"}]}),
        Canned(400, [{"error": {"code": 400, "message": 'Invalid JSON payload. Unknown name "max_tokens"'}}]),
        Canned(400, {"error": {"message": "Provider error", "metadata": {"raw": f'{{"error": "{NEW_NAME}"}}'}}}),
    ],
)
def test_the_new_name_of_the_limit_is_learnt_once(said):
    with CannedServer(wants(lambda body: "max_tokens" not in body, said)) as server:
        model = load(server)
        assert [model.ask("s", f"p{i}").text for i in range(3)] == [METHOD] * 3
    assert [sorted({"max_tokens", "max_completion_tokens"} & set(body)) for body in server.posted] == [
        ["max_tokens"], *[["max_completion_tokens"]] * 3,
    ]  # fmt: skip
    assert server.posted[-1]["max_completion_tokens"] == 16_384


@pytest.mark.parametrize("error", [{"code": 400}, {}, {"code": 200}, {"type": "api_error"}])
def test_a_refusal_inside_of_a_success_teaches_too(error):
    said = Canned(200, {"error": {**error, "message": NEW_NAME}})
    with CannedServer(wants(lambda body: "max_tokens" not in body, said)) as server:
        assert load(server).ask("s", "p").text == METHOD


@pytest.mark.parametrize("status", [404, 405, 406, 413, 415, 422, 500, 501, 502])
def test_a_clear_wish_is_learnt_whatever_its_status(status):
    with CannedServer(wants(lambda body: "max_tokens" not in body, NEW_NAME, status=status)) as server:
        assert load(server).ask("s", "p").text == METHOD
    with CannedServer(
        wants(lambda body: body.get("stream"), "Only streams are served", lambda: events(*CHUNKS), status)
    ) as server:
        assert load(server).ask("s", "p").text == METHOD


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "no such model"),
        (500, "error in the upstream"),
        (500, "the stream broke"),
        (429, NEW_NAME),
        (401, NEW_NAME),
        (503, "streaming is not supported now"),
    ],
)
def test_what_is_no_clear_wish_changes_no_request(status, said):
    with CannedServer(in_turn(refusal(status, said))) as server, pytest.raises(ModelError):
        load(server).ask("s", "p")
    assert len(server.posted) == 1


CHUNKS = (
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": METHOD[:9]}}]},
    {"choices": [{"index": 0, "delta": {"content": METHOD[9:]}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}},
)


@pytest.mark.parametrize(
    "said",
    [
        "Stream must be set to true",
        "This model only support stream mode, please enable the stream parameter to access the model.",
        "parameter.enable_thinking must be set to false for non-streaming calls",
        "SSE required",
        "Server-sent events only",
        "max_tokens is too high for non-streaming requests. Use stream=true for max_tokens > 8192",
    ],
)
def test_a_server_that_only_streams_is_used(said):
    with CannedServer(wants(lambda body: body.get("stream"), said, lambda: events(*CHUNKS))) as server:
        model = load(server)
        replies = [model.ask("s", "p") for _ in range(2)]
    assert [reply.text for reply in replies] == [METHOD] * 2
    assert (replies[0].usage.tokens_in, replies[0].usage.tokens_out) == (7, 5)
    assert [body.get("stream") for body in server.posted] == [None, True, True]
    assert server.posted[1]["stream_options"] == {"include_usage": True}


def test_a_server_that_streams_and_does_not_count_is_used():
    def is_good(body):
        return body.get("stream") and "stream_options" not in body

    def answer(asked):
        said = "unknown field stream_options" if asked.body.get("stream") else "only streaming is supported"
        return events(*CHUNKS[:2]) if is_good(asked.body) else refusal(400, said)

    with CannedServer(answer) as server:
        reply = load(server).ask("s", "p")
    assert (reply.text, reply.usage.usd) == (METHOD, None)


@pytest.mark.parametrize(
    "said",
    [
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        "System role not supported",
        "Developer instruction is not enabled for models/tiny",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Only user and assistant roles are supported!",
        "messages.0.role: Input should be 'user' or 'assistant'",
        Canned(422, {"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "Input should be 'user' or 'assistant'"}]}),
        "systemInstruction not supported",
    ],
)
def test_a_model_without_a_system_role_is_told_the_rules_in_the_prompt(said):
    with CannedServer(wants(lambda body: len(body["messages"]) == 1, said)) as server:
        load(server).ask("the rules", "the task")
    assert server.posted[-1]["messages"] == [{"role": "user", "content": "the rules\n\nthe task"}]


def test_several_wishes_are_learnt_one_after_the_other():
    def answer(asked):
        if "max_tokens" in asked.body:
            return refusal(400, NEW_NAME)
        if not asked.body.get("stream"):
            return refusal(400, "stream must be true")
        return events(*CHUNKS)

    with CannedServer(answer) as server:
        model = load(server)
        assert [model.ask("s", "p").text for _ in range(2)] == [METHOD] * 2
    assert len(server.posted) == 4


@pytest.mark.parametrize(
    "said", ["system.0.cache_control: Extra inputs are not permitted", "system: Input should be a valid string"]
)
def test_claude_by_a_gateway_has_wishes_too(said, monkeypatch):
    stream = (
        {"type": "message_start", "message": {"usage": {"input_tokens": 7, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": METHOD}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    )

    def answer(asked):
        if not isinstance(asked.body.get("system"), str):
            return refusal(400, said)
        return events(*stream, named=True, end="") if asked.body.get("stream") else refusal(400, "Streaming is required")

    with CannedServer(answer) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
        reply = load(server, "anthropic").ask("the rules", "the task")
    assert (reply.text, reply.usage.tokens_in, reply.usage.tokens_out) == (METHOD, 7, 5)


@pytest.mark.parametrize(("first", "then"), [("claude-opus-4-6", "enabled"), ("claude-haiku-4-5", "adaptive")])
def test_how_a_model_is_told_to_think_is_learnt(first, then, monkeypatch):
    said = "thinking: this type of thinking is not supported for this model"
    with CannedServer(wants(lambda body: body["thinking"]["type"] == then, said, message)) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
        models.load(f"anthropic:{first}", settings=Settings(thinking=2048)).ask("s", "p")
    assert len(server.posted) == 2


@pytest.mark.parametrize("name", ["claude-opus-4-6", "claude-haiku-4-5"])
def test_a_model_that_cannot_think_is_asked_without_thoughts_in_the_end(name, monkeypatch):
    said = "Extended thinking is not supported by this model"
    with CannedServer(wants(lambda body: "thinking" not in body, said, message)) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
        model = models.load(f"anthropic:{name}", settings=Settings(thinking=2048))
        assert [model.ask("s", "p").text for _ in range(2)] == [METHOD] * 2
    assert len(server.posted) == 4
    assert {body["max_tokens"] for body in server.posted} == {16_384}


def test_a_stream_of_claude_that_was_cut_is_broken_off(monkeypatch):
    cut = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": METHOD}}
    with CannedServer(in_turn(events(cut, named=True, end=""))) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
        with pytest.raises(UnusableAnswer, match="broke off"):
            load(server, "anthropic").ask("s", "p")


@pytest.mark.parametrize("said", ["your account is not active", NEW_NAME, "Stream must be true", "max_tokens is too large"])
def test_a_wish_that_never_ends_is_a_sentence(said):
    with CannedServer(in_turn(refusal(400, said))) as server, pytest.raises(ModelError, match="refused the request"):
        load(server).ask("s", "p")
    assert len(server.posted) <= 7


def test_fields_of_ones_own_are_sent_and_ours_stay_ours(monkeypatch):
    body = {"top_k": 20, "chat_template_kwargs": {"enable_thinking": False}, "stream": True}
    with CannedServer(in_turn(events(*CHUNKS))) as server:
        assert load(server, extra_body=body).ask("s", "p").text == METHOD
    (sent,) = server.posted
    assert (sent["top_k"], sent["chat_template_kwargs"], sent["stream"]) == (20, {"enable_thinking": False}, True)
    with CannedServer(in_turn(message())) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
        load(server, "anthropic", extra_body={"top_k": 20}).ask("s", "p")
    assert server.posted[0]["top_k"] == 20


def test_a_prompt_that_no_encoding_has_is_sent():
    with CannedServer(in_turn(completion())) as server:
        assert load(server).ask("s", "a\ud800b").text == METHOD


@pytest.mark.parametrize("text", ['{"top_k": 20, "nested": {"a": [1, null]}}', "{top_k = 20, nested = {a = [1]}}"])
def test_extra_body_is_a_table_or_json(text):
    assert resolve(parse_set((f"extra_body={text}",))).extra_body["top_k"] == 20


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("20", "write it as a table or as JSON"),
        ("{top_k: 20}", "write it as a table or as JSON"),
        ('{"a": NaN}', "write it as a table or as JSON"),
        ("{day = 2026-01-01}", "write it as a table or as JSON"),
        ('{"messages": []}', "messages is this program's own: the search writes them"),
        ('{"Model": "other"}', "Model is this program's own: name the model with --model"),
        ('{"max_tokens": 5}', "set reply_tokens"),
        ('{"n": 4}', "a call has one answer"),
        ('{"stream": "yes"}', "stream is true or false"),
        ('{"api_key": "geheim"}', "keys are read from the environment alone"),
        ('{"headers": {"Authorization": "Basic geheim"}}', "keys are read from the environment alone"),
        ('{"user": "sk-geheim-0001"}', "keys are read from the environment alone"),
        ('{"list": ["a geheimes-wort b"]}', "keys are read from the environment alone"),
    ],
)
def test_extra_body_holds_no_field_of_ours_and_no_key(text, sentence, monkeypatch):
    monkeypatch.setenv("SOME_SERVICE_TOKEN", "geheimes-wort")
    with pytest.raises(UsageError, match=sentence) as caught:
        resolve(parse_set((f"extra_body={text}",)))
    assert "geheim" not in str(caught.value)
