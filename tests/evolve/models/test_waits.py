"""How long a server asks to wait, wherever it says so; and what to do when it does not say."""

import random
from datetime import UTC, datetime

import pytest

from evolve import models
from evolve.errors import ModelError
from evolve.models import Settings
from evolve.models.refusals import Refused, inside, parsed
from evolve.models.retry import Clock, Gate, Passing, Patience, Retrier
from evolve.models.waits import wait_asked
from evolve.nouns import UnusableAnswer
from tests.support.canned_server import METHOD, Canned, CannedServer, completion, in_turn

NOW = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)
MOMENT = NOW.timestamp()
GEMINI = """[{"error": {"code": 429, "message": "You exceeded your current quota.", "status": "RESOURCE_EXHAUSTED", "details": [
    {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaValue": "10"}]},
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]}}]"""
ROUTER = """{"error": {"message": "Rate limit exceeded: free-models-per-min. ", "code": 429, "metadata": {"headers":
    {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "%d"}}}}"""


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (GEMINI, 34.5),
        ('{"error": {"details": [{"retryDelay": {"seconds": "7", "nanos": 500000000}}]}}', 7.5),
        (ROUTER % (1000 * (MOMENT + 25)), 25.0),
        ('{"error": {"metadata": {"raw": "{\\"error\\": {\\"retry_after_seconds\\": 12}}"}}}', 12.0),
        ('{"error": {"metadata": {"headers": {"Retry-After": "9"}}}}', 9.0),
        ('{"retry_after_ms": 1500}', 1.5),
        ('{"retry_after": 3.5, "message": "You are being rate limited."}', 3.5),
        ("Limit 3, Used 3, Requested 1. Please try again in 20s. Visit the page", 20.0),
        ("Please try again in 1m30s.", 90.0),
        ("Please try again in 6m0s.", 360.0),
        ("Please try again in 450ms.", 0.45),
        ("Please try again in 1.5s", 1.5),
        ("Please retry in 34.074824224s.", 34.074824224),
        ("Requests have exceeded the rate limit. Please retry after 55 seconds.", 55.0),
        ("rate limited, try again in 1 minute and 5 seconds", 65.0),
        ("Retry-After: 17", 17.0),
        ("please wait 45 seconds before the next call", 45.0),
        ("try again in 1h2m", 3720.0),
        ('{"error": {"reset_at": "2026-10-21T07:28:20Z"}}', 20.0),
        (f'{{"error": {{"resetsAt": {MOMENT + 20:.0f}}}}}', 20.0),
        ('{"error": "Model tiny is currently loading", "estimated_time": 20.0}', 20.0),
        ("Please try again at 2026-10-21T07:28:20Z.", 20.0),
        ("Your limit will reset at 2026-10-21 09:28:20+02:00", 20.0),
        ("try again in a minute", 60.0),
        ("Please retry after about one minute.", 60.0),
        ("wait for an hour", 3600.0),
        ("try again in 1,200 seconds", 1200.0),
        ("You can make another request in 5 seconds.", 5.0),
        ("Your next request may be sent in 7 s", 7.0),
        ("slow down, please try again later", None),
        ("please retry later: you exceeded your requests a day", None),
        ("please try again in 1,2 or more", None),
        ("Limit 20 / min", None),
        ("", None),
        ('{"error": {"retryDelay": "soon", "retry_after": -3, "message": "try again in infinity"}}', None),
        ('{"retry_after": 1e999}', None),
        ('{"retry_after": true}', None),
        ("[" * 5000, None),
    ],
)
def test_a_wait_in_a_body_is_read(body, seconds):
    assert wait_asked({}, body, NOW) == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "4"}, 4.0),
        ({"x-ratelimit-reset-requests": "1m2s", "x-ratelimit-remaining-requests": "0"}, 62.0),
        ({"x-ratelimit-reset-requests": "1d", "x-ratelimit-remaining-requests": "7"}, None),
        ({"x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"ratelimit-reset": "30"}, 30.0),
        ({"x-ratelimit-reset": f"{MOMENT + 40:.0f}"}, 40.0),
        ({"anthropic-ratelimit-tokens-reset": "2026-10-21T07:28:50Z", "anthropic-ratelimit-tokens-remaining": "0"}, 50.0),
        ({"x-ratelimit-reset": "whenever"}, None),
        ({"RateLimit": '"default";r=0;t=20'}, 20.0),
        ({"RateLimit": '"minute";r=3;t=50, "second";r=0;t=2'}, 2.0),
        ({"RateLimit": '"default";r=3;t=20'}, None),
        ({"ratelimit": "limit=100, remaining=0, reset=20"}, 20.0),
        ({"ratelimit": "limit=100, remaining=7, reset=20"}, None),
        ({"ratelimit": "100"}, None),
        ({"x-ms-retry-after-ms": "20000"}, 20.0),
        ({"x-retry-after": "20"}, 20.0),
        ({}, None),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "2", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "2", "retry-after-ms": "soon"}, 2.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2020 07:28:30 GMT"}, 0.0),
        ({"retry-after": f"{MOMENT + 20:.0f}"}, 20.0),
        ({"retry-after": f"{1000 * (MOMENT + 20):.0f}"}, 20.0),
        ({"retry-after": f"{MOMENT - 20:.0f}"}, 0.0),
        ({"retry-after": "2026-10-21T07:28:30Z"}, 30.0),
        ({"retry-after": "1m30s"}, 90.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 99 Oct 2026 07:28:30 GMT"}, None),
    ],
)
def test_a_wait_in_other_headers_is_read(headers, seconds):
    assert wait_asked(headers, "", NOW) == (seconds if seconds is None else pytest.approx(seconds))


def test_the_longest_wait_that_is_said_plainly_comes_first():
    headers = {"Retry-After": "2", "x-ratelimit-reset": "50"}
    assert wait_asked(headers, "", NOW) == 2.0
    assert wait_asked(headers, "try again in 30s", NOW) == 30.0
    assert wait_asked({"Retry-After": "0"}, "try again in 20s", NOW) == 20.0
    assert wait_asked({"Retry-After": "0", "x-ratelimit-reset": "50"}, "", NOW) == 50.0
    assert wait_asked({"Retry-After": "40"}, "try again in 20s", NOW) == 40.0
    assert wait_asked({"x-ratelimit-reset": "50"}, "try again in 30s", NOW) == 30.0


def waited(body, status=429, headers=None):
    """Return how long a model waits after one such refusal, by a clock that jumps."""
    hands = [0.0]

    def sleep(seconds):
        hands[0] += seconds

    given = Settings(clock=Clock(lambda: hands[0], sleep))
    with CannedServer(in_turn(Canned(status, body, headers or {}), completion())) as server:
        assert models.load("openai:tiny", server.url, rng=random.Random(0), settings=given).ask("s", "p").text == METHOD
    return hands[0]


@pytest.mark.parametrize("status", [429, 503, 200])
def test_a_wait_in_a_body_is_waited_for(status):
    assert 34.5 <= waited(GEMINI, status) <= 37.5


def test_a_limit_by_the_minute_without_a_hint_is_outlasted():
    hands = [0.0]
    clock = Clock(lambda: hands[0], lambda seconds: hands.__setitem__(0, hands[0] + seconds))

    def attempt():
        if hands[0] <= 60.0:
            raise Passing("too many calls", busy=True)
        return "answer"

    for seed in range(50):
        hands[0] = 0.0
        assert Retrier("http://x/v1", Patience(), random.Random(seed), clock, Gate()).call(attempt) == "answer"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"error": {"code": 429, "message": "slow down"}}', 429),
        ('{"error": {"code": "429", "message": "slow down"}}', 429),
        ('{"error": {"type": "rate_limit_error", "message": "slow down"}}', 429),
        (GEMINI, 429),
        ('{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}', 529),
        ('{"error": {"status": "UNAVAILABLE", "message": "x"}}', 503),
        ('{"object": "error", "message": "no such model", "code": 404}', 404),
        ('{"error": {"code": "model_not_found", "message": "x"}}', 404),
        ('{"error": {"code": "invalid_api_key", "message": "x"}}', 401),
        ('{"error": {"type": "invalid_request_error", "message": "x"}}', 400),
        ('{"error": "something"}', 502),
        ('{"detail": "something", "status": 500}', 500),
        ('{"error": {"message": "Rate limit reached for requests"}}', 429),
        ('{"error": "Rate limit exceeded"}', 429),
        ('{"detail": "Too many requests"}', 429),
        ('{"error": {"code": 429.0}}', 429),
        ('{"error": {"code": "429.0"}}', 429),
        ('{"error": "x", "statusCode": 429}', 429),
        ('{"status": 429, "message": "slow down"}', 429),
        ('{"statusCode": 503, "msg": "slow down"}', 503),
        ('{"error": {"error": {"code": 429, "message": "slow down"}}}', 429),
        ('{"error": "{\\"error\\": {\\"code\\": 401}}"}', 401),
        ('{"base_resp": {"status_code": 1002, "status_msg": "rate limit"}, "choices": null}', 429),
        ('{"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}', 402),
        ('{"base_resp": {"status_code": 0, "status_msg": "success"}, "choices": []}', None),
        ('{"error": {"code": "context_length_exceeded", "message": "x"}}', 400),
        ('{"error": {"message": "This model has a maximum context length of 4096 tokens"}}', 400),
        ('{"error": {"message": "Unsupported parameter: max_tokens"}}', 400),
        ('{"error": "the engine is overloaded"}', 529),
        ('{"choices": [{"message": {"content": ""}, "finish_reason": "error", "error": {"code": 429}}]}', 429),
        ('{"choices": [{"message": null, "error": "Rate limit exceeded"}]}', 429),
        ('{"choices": [{"message": {"content": "x"}, "error": null}]}', None),
        ('{"error": {"code": true, "message": "invalid answer of the provider"}}', 502),
        ('{"status": "completed", "message": "fine"}', None),
        ('{"status": 200, "message": "fine"}', None),
        ('{"choices": []}', None),
        ("[]", None),
        ("null", None),
    ],
)
def test_an_error_inside_of_a_success_is_seen_as_its_code(body, code):
    found = inside(parsed(body), body)
    assert (found.status if found else None) == code


def test_a_refused_key_inside_of_a_success_is_not_tried_again():
    body = {"error": {"code": 401, "message": "no such key"}, "user_id": "x"}
    with (
        CannedServer(in_turn(Canned(200, body))) as server,
        pytest.raises(ModelError, match=r"refused .* \(401: no such"),
    ):
        models.load("openai:tiny", server.url).ask("s", "p")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        'data: {"error": {"code": 429, "message": "Please try again in 20s"}}\n\n',
        'event: error\ndata: {"code": 429, "message": "Please try again in 20s"}\n\n',
        "event: error\ndata: Too many requests. Please try again in 20s\n\n",
        'data: {"object": "error", "code": 429, "message": "Please try again in 20s"}\n\ndata: [DONE]\n\n',
        'data: {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 429, "message": "retry in 20s"}}]}\n\n',
    ],
)
def test_an_error_in_the_first_event_of_a_stream_is_seen_as_its_code(body):
    assert waited(body, 200) >= 20.0


def test_an_error_in_a_choice_that_cost_nothing_is_tried_again():
    choice = {"message": {"content": ""}, "finish_reason": "error", "error": {"code": 429, "message": "rate limited"}}
    assert waited({"choices": [choice]}, 200) >= 2.5
    assert waited({"choices": [choice], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}, 200) >= 2.5


def test_an_error_in_a_choice_that_was_paid_for_is_an_answer_that_broke_off():
    choice = {"message": {"content": ""}, "finish_reason": "error", "error": {"code": 429, "message": "rate limited"}}
    paid = Canned(200, {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 0}})
    with CannedServer(in_turn(paid)) as server, pytest.raises(UnusableAnswer, match="rate limited") as caught:
        models.load("openai:tiny", server.url).ask("s", "p")
    assert (caught.value.reply.usage.tokens_in, len(server.asked)) == (7, 1)


def test_a_refusal_of_any_shape_has_words():
    for body in ('{"detail": "no"}', '{"message": "no", "code": 3}', '[{"error": {"message": "no"}}]', '{"error": "no"}', "no"):
        assert Refused(400, body).said == "no"
