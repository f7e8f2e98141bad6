"""The openai provider against a real server on loopback: what it returns, and what each fault becomes."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from archives.nouns import Usage
from evolve import models
from evolve.errors import ModelError
from evolve.models import Settings
from evolve.models.chat import quote, read_answer
from evolve.models.retry import Clock, Patience
from evolve.models.usage import UnusableAnswer, price, total
from tests.model_server import Fault, ModelServer

SYSTEM = "You improve methods."
METHOD = "def method(problem):\n    return problem.weak[:, 1] * 0.5"
PROMPT = f"## Parent 1: x\n\n```python\n{METHOD}\n```\n\n# Your turn\n\nWrite it anew."
KEY = "sk-geheim-0123456789"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def model(server_url: str, attempts: int = 3, seconds: float = 30.0):
    """Return a model that never really sleeps: its clock jumps."""
    hands = [0.0]

    def sleep(seconds: float) -> None:
        hands[0] += seconds

    settings = Settings(seconds=seconds, patience=Patience(attempts=attempts), clock=Clock(lambda: hands[0], sleep))
    return models.load("openai:tiny", server_url, rng=random.Random(0), settings=settings)


def test_answer_comes_with_the_tokens_the_server_counted():
    with ModelServer() as server:
        reply = model(server.url).ask(SYSTEM, PROMPT)
    (served,) = server.served
    assert (served.system, served.prompt) == (SYSTEM, PROMPT)
    assert reply.text == served.reply
    assert (reply.usage.model, reply.usage.calls) == ("openai:tiny", 1)
    assert (reply.usage.tokens_in, reply.usage.tokens_out) == (served.tokens_in, served.tokens_out)
    assert served.tokens_in > 0


def test_price_of_a_local_model_is_unknown_even_under_a_famous_name():
    with ModelServer() as server:
        known = models.load("openai:gpt-5-mini", server.url).ask(SYSTEM, PROMPT)
    assert known.usage.usd is None


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "unavailable", "malformed", "hang_up"])
def test_fault_that_passes_is_survived(kind):
    with ModelServer([Fault(kind, 1.0), Fault(kind, 1.0)]) as server:
        reply = model(server.url).ask(SYSTEM, PROMPT)
    assert "def method" in reply.text
    assert [served.fault for served in server.served] == [kind, kind, ""]
    assert reply.usage.tokens_out == sum(served.tokens_out for served in server.served)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("rate_limit", r"is not serving openai:tiny now \(429: slow down\) \(tried 3 times\)$"),
        ("server_error", r"is not serving openai:tiny now \(500: something broke\) \(tried 3 times\)$"),
        ("malformed", r"sent something that is not a chat completion: .*\(tried 3 times\)$"),
        ("hang_up", r"cannot be reached \(.*\): is it running, and is the URL right\? \(tried 3 times\)$"),
    ],
)
def test_fault_that_lasts_is_a_sentence(kind, sentence):
    with ModelServer([Fault(kind)] * 3) as server, pytest.raises(ModelError, match=sentence) as caught:
        model(server.url).ask(SYSTEM, PROMPT)
    assert str(caught.value).startswith(server.url)
    assert not isinstance(caught.value, UnusableAnswer)
    assert len(server.served) == 3


def test_server_that_does_not_answer_in_time_is_a_sentence():
    with ModelServer([Fault("slow", 30.0)]) as server:
        with pytest.raises(ModelError, match=r"did not answer within 0\.2 s$"):
            model(server.url, attempts=1, seconds=0.2).ask(SYSTEM, PROMPT)
        server.closing.set()


def test_no_server_at_all_is_a_sentence():
    with ModelServer() as server:
        url = server.url
    with pytest.raises(ModelError, match=r"cannot be reached \(.*refused.*\): is it running"):
        model(url).ask(SYSTEM, PROMPT)


def test_wrong_path_names_the_missing_v1():
    with (
        ModelServer() as server,
        pytest.raises(ModelError, match=r"\(404: .*\): check --model, and that --base-url ends in /v1"),
    ):
        model(server.url.removesuffix("/v1")).ask(SYSTEM, PROMPT)


def test_wrong_key_is_a_sentence_that_names_the_variable_and_never_the_key():
    with ModelServer([Fault("unauthorized")]) as server, pytest.raises(ModelError) as caught:
        model(server.url).ask(SYSTEM, PROMPT)
    message = str(caught.value)
    assert "refused the key (401: Incorrect API key provided: [key])" in message
    assert "check the variable OPENAI_API_KEY" in message
    assert "geheim" not in repr(caught.value)
    assert caught.value.__suppress_context__  # a printed chain would show the server's words as they came
    assert len(server.served) == 1


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("truncated", r"^the answer of openai:tiny was cut short after \d+ tokens"),
        ("empty", r"^the answer of openai:tiny was empty$"),
        ("no_choices", r"^the answer of openai:tiny was empty$"),
        ("refusal", r"^openai:tiny refused: I cannot help with that\.$"),
    ],
)
def test_answer_that_cannot_be_used_is_a_sentence_and_its_cost_is_kept(kind, sentence):
    with ModelServer([Fault(kind)]) as server, pytest.raises(UnusableAnswer, match=sentence) as caught:
        model(server.url).ask(SYSTEM, PROMPT)
    (served,) = server.served
    usage = caught.value.reply.usage
    assert (usage.calls, usage.tokens_in, usage.tokens_out) == (1, served.tokens_in, served.tokens_out)


def test_many_threads_share_one_model():
    with ModelServer([Fault("rate_limit"), None, Fault("server_error"), None, Fault("hang_up")]) as server:
        shared = model(server.url, attempts=8)
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda i: shared.ask(SYSTEM, f"{PROMPT}\n{i}"), range(24)))
    good = [served for served in server.served if not served.fault]
    assert sorted(reply.text for reply in replies) == sorted(served.reply for served in good)
    assert sum(reply.usage.tokens_in for reply in replies) == sum(served.tokens_in for served in server.served)


def test_password_in_the_url_is_not_shown():
    bad = models.load("openai:tiny", "http://me:geheim@127.0.0.1:9/v1", settings=Settings(patience=Patience(attempts=1)))
    with pytest.raises(ModelError, match=r"^http://127\.0\.0\.1:9/v1 cannot be reached") as caught:
        bad.ask(SYSTEM, PROMPT)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    ["", "nonsense", "[]", "null", '{"error": "x"}', '{"choices": {}}', '{"choices": null}', "[" * 100_000],
)
def test_body_that_is_no_completion_is_not_read_as_one(body):
    assert read_answer(body) is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"choices": []}', ""),
        ('{"choices": [null]}', ""),
        ('{"choices": [{"message": null}]}', ""),
        ('{"choices": [{"message": {"content": 3}}], "usage": "many"}', ""),
        ('{"choices": [{"message": {"content": "a\\ud800b"}}], "usage": {"prompt_tokens": -1}}', "a?b"),
        ('{"choices": [{"message": {"content": [{"type": "text", "text": "a"}, 7, {"text": "b"}]}}]}', "ab"),
    ],
)
def test_odd_completion_is_read_without_trusting_its_types(body, text):
    answer = read_answer(body)
    assert answer.text == text
    assert (answer.tokens_in, answer.tokens_out, answer.counted) == (0, 0, False)


def test_cached_tokens_cost_less_and_unknown_prices_are_unknown():
    url = "https://api.openai.com/v1"
    assert 0 < price(url, "gpt-5-mini", 10_000, 100, cached=8_000) < price(url, "gpt-5-mini", 10_000, 100)
    assert price(url, "no-such-model", 10, 10) is None
    assert price("http://127.0.0.1:8000/v1", "gpt-5-mini", 10, 10) is None


def test_sum_with_one_unknown_price_is_unknown():
    one, other = Usage("m", 1, 10, 5, 0.5, 1.0), Usage("m", 1, 20, 5, None, 1.0)
    assert total([one, one]) == Usage("m", 2, 20, 10, 1.0, 2.0)
    assert total([one, other]) == Usage("m", 2, 30, 10, None, 2.0)
    assert total([]) == Usage()


def test_stranger_text_in_a_sentence_is_one_printable_line_without_keys():
    text = f"bad\x1b[31m\nkey {KEY} or sk-other123 or Bearer abc.def " + "x" * 500
    line = quote(text, [KEY])
    assert line.startswith("bad [31m key [key] or [key] or Bearer [key] xxx")
    assert len(line) == 200
