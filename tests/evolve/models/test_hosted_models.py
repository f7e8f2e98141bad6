"""The providers behind HTTP against a real server on loopback: what they return, and what each fault becomes."""

import random
import resource
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from evolve import models
from evolve.errors import ModelError
from evolve.models import Price, Settings
from evolve.models.answers import LONGEST
from evolve.models.retry import Clock, Patience
from evolve.nouns import UnusableAnswer
from tests.support.model_faults import FAULTS
from tests.support.model_server import HUGE, THOUGHTS, Fault, ModelServer

SYSTEM = "You improve methods."
METHOD = "def method(problem):\n    return problem.weak[:, 1] * 0.5"
PROMPT = f"## Parent 1: x\n\n```python\n{METHOD}\n```\n\n# Your turn\n\nWrite it anew."
KEY = "sk-geheim-0123456789"
PASSING = ["rate_limit", "rate_limit_date", "overloaded", "server_error", "unavailable", "malformed", "page", "deep", "hang_up"]
GOOD = ["cached", "thinking", "no_code", "three_blocks", "wrong_function", "unmatched", "unchanged", "leaky_answer", "no_usage"]


@pytest.fixture(autouse=True)
def key(monkeypatch):
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, KEY)


@pytest.fixture(params=["openai", "anthropic"])
def ask(request, monkeypatch):
    """Return what makes a model of a server; its clock jumps, so it never really sleeps between attempts."""

    def make(server, attempts=3, seconds=30.0, **settings):
        hands = [0.0]

        def sleep(seconds):
            hands[0] += seconds

        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
        given = Settings(
            seconds=seconds, patience=Patience(attempts=attempts), clock=Clock(lambda: hands[0], sleep), **settings
        )
        return models.load(f"{request.param}:tiny", server.url, rng=random.Random(0), settings=given)

    make.provider = request.param
    return make


def spent(usage):
    return usage.tokens_in, usage.tokens_out, usage.cached, usage.reasoning


def counted(server):
    rows = [(s.tokens_in, s.tokens_out, s.cached, s.reasoning) for s in server.served]
    return tuple(map(sum, zip(*rows)))


@pytest.mark.parametrize("kind", ["", *GOOD])
def test_answer_comes_with_the_tokens_the_server_counted(ask, kind):
    with ModelServer([Fault(kind)] if kind else []) as server:
        model = ask(server)
        reply = model.ask(SYSTEM, PROMPT)
    (served,) = server.served
    assert (served.system, served.prompt) == (SYSTEM, PROMPT)
    assert reply.text == (served.reply.replace(KEY, "[key]"))
    assert KEY not in reply.text
    assert (reply.usage.model, reply.usage.calls) == (f"{ask.provider}:tiny", 1)
    assert spent(reply.usage) == counted(server)
    assert reply.usage.usd is None
    worst = model.worst_case(SYSTEM, PROMPT)
    assert worst.tokens_in >= reply.usage.tokens_in
    assert worst.tokens_out >= reply.usage.tokens_out


def test_cached_and_reasoning_tokens_are_told(ask):
    with ModelServer([Fault("cached"), Fault("thinking")]) as server:
        model = ask(server)
        first, second = model.ask(SYSTEM, PROMPT), model.ask(SYSTEM, PROMPT)
    assert 0 < first.usage.cached < first.usage.tokens_in
    assert second.usage.reasoning == THOUGHTS < second.usage.tokens_out


@pytest.mark.parametrize("kind", PASSING)
def test_fault_that_passes_is_survived(ask, kind):
    with ModelServer([Fault(kind, 1.0), Fault(kind, 1.0)]) as server:
        reply = ask(server).ask(SYSTEM, PROMPT)
    assert "def method" in reply.text
    assert [served.fault for served in server.served] == [kind, kind, ""]
    assert spent(reply.usage) == counted(server)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("rate_limit", r"is not serving \w+:tiny now \(429: slow down\) \(tried 3 times\)$"),
        ("overloaded", r"is not serving \w+:tiny now \(529: Overloaded\) \(tried 3 times\)$"),
        ("server_error", r"is not serving \w+:tiny now \(500: something broke\) \(tried 3 times\)$"),
        ("malformed", r"sent something that is not a chat completion: .*\(tried 3 times\)$"),
        ("page", r"sent something that is not a chat completion: <!DOCTYPE html>.*Sign in.*\(tried 3 times\)$"),
        ("hang_up", r"cannot be reached \(.*\): is it running, and is the URL right\? \(tried 3 times\)$"),
    ],
)
def test_fault_that_lasts_is_a_sentence(ask, kind, sentence):
    with ModelServer([Fault(kind)] * 3) as server, pytest.raises(ModelError, match=sentence) as caught:
        ask(server).ask(SYSTEM, PROMPT)
    assert str(caught.value).startswith("http://127.0.0.1:")
    assert not isinstance(caught.value, UnusableAnswer)
    assert len(server.served) == 3


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("no_credit"), r"^the account of \w+_API_KEY at .* has no credit left \(402: Insufficient Balance\)$"),
        (Fault("rate_limit", 4000.0), r"asks not to be called for another 4000 s, longer than the 300 s"),
        (Fault("flood"), r"sent more than 8 MB, and no answer is that long$"),
        (Fault("bomb"), r"sent a compressed answer, which was not asked for$"),
    ],
)
def test_fault_that_stays_is_a_sentence_at_once(ask, fault, sentence):
    with ModelServer([fault]) as server, pytest.raises(ModelError, match=sentence):
        ask(server).ask(SYSTEM, PROMPT)
    assert len(server.served) == 1


@pytest.mark.parametrize("kind", ["flood", "error_flood", "bomb"])
def test_endless_body_takes_no_memory(ask, kind):
    with ModelServer([Fault(kind)]) as server:
        model = ask(server, attempts=1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(ModelError):
            model.ask(SYSTEM, PROMPT)
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 100 << 20


@pytest.mark.parametrize("kind", ["slow", "drip"])
def test_server_that_does_not_answer_in_time_is_a_sentence(ask, kind):
    with ModelServer([Fault(kind, 30.0)]) as server:
        with pytest.raises(ModelError, match=r"did not answer within 0\.2 s$"):
            ask(server, attempts=1, seconds=0.2).ask(SYSTEM, PROMPT)
        server.closing.set()


def test_redirect_is_not_followed_and_the_key_goes_nowhere_else(ask):
    sentence = r"sends calls on to 'http://localhost:\d+/elsewhere' \(307\)"
    with ModelServer([Fault("redirect")]) as server, pytest.raises(ModelError, match=sentence):
        ask(server).ask(SYSTEM, PROMPT)
    assert server.strays == []


def test_no_server_at_all_is_a_sentence(ask):
    with ModelServer() as server:
        model = ask(server)
    with pytest.raises(ModelError, match=r"cannot be reached \(.*refused.*\): is it running"):
        model.ask(SYSTEM, PROMPT)


@pytest.mark.parametrize("kind", ["unauthorized", "leaky_error"])
def test_error_that_repeats_the_key_is_a_sentence_without_it(ask, kind):
    with ModelServer([Fault(kind)]) as server, pytest.raises(ModelError) as caught:
        ask(server).ask(SYSTEM, PROMPT)
    if kind == "unauthorized":
        assert "refused the key (401: Incorrect API key provided: [key]): check the variable" in str(caught.value)
    assert "geheim" not in repr(caught.value)
    assert caught.value.__suppress_context__  # a printed chain would show the server's words as they came
    assert len(server.served) == 1


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("truncated", r"^the answer of \w+:tiny was cut short after \d+ tokens"),
        ("empty", r"^the answer of \w+:tiny was empty$"),
        ("no_choices", r"^the answer of \w+:tiny was empty$"),
        ("wrong_types", r"^the answer of \w+:tiny was empty$"),
        ("refusal", r"^\w+:tiny refused: I cannot help with that\.$"),
        ("huge", r"^the answer of \w+:tiny was too long: it is cut after 100,000 characters$"),
    ],
)
def test_answer_that_cannot_be_used_is_a_sentence_and_its_cost_is_kept(ask, kind, sentence):
    with ModelServer([Fault(kind)]) as server, pytest.raises(UnusableAnswer, match=sentence) as caught:
        ask(server).ask(SYSTEM, PROMPT)
    usage = caught.value.reply.usage
    assert usage.calls == 1
    assert spent(usage) == counted(server)


def test_huge_answer_is_kept_in_part():
    with ModelServer([Fault("huge")]) as server, pytest.raises(UnusableAnswer) as caught:
        models.load("openai:tiny", server.url).ask(SYSTEM, PROMPT)
    assert len(server.served[0].reply) == HUGE
    assert caught.value.reply.text == server.served[0].reply[:LONGEST]


def test_counts_that_cannot_be_are_no_counts_and_no_price(ask):
    with ModelServer([Fault("odd_counts")]) as server:
        model = ask(server, prices={f"{ask.provider}:tiny": Price(1.0, 2.0)})
        usage = model.ask(SYSTEM, PROMPT).usage
    assert (spent(usage), usage.usd) == ((0, 0, 0, 0), None)


def test_own_price_wins_and_bounds_the_cost(ask):
    with ModelServer([Fault("cached")]) as server:
        model = ask(server, prices={f"{ask.provider}:tiny": Price(3.0, 15.0, 0.3)})
        usage = model.ask(SYSTEM, PROMPT).usage
    plain = usage.tokens_in - usage.cached
    assert usage.usd == pytest.approx((plain * 3 + usage.cached * 0.3 + usage.tokens_out * 15) / 1e6)
    assert model.worst_case(SYSTEM, PROMPT).usd > usage.usd


def test_many_threads_share_one_model(ask):
    with ModelServer([Fault("rate_limit"), None, Fault("server_error"), None, Fault("hang_up")]) as server:
        shared = ask(server, attempts=8)
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda i: shared.ask(SYSTEM, f"{PROMPT}\n{i}"), range(24)))
    good = [served for served in server.served if not served.fault]
    assert sorted(reply.text for reply in replies) == sorted(served.reply for served in good)
    assert sum(reply.usage.tokens_in for reply in replies) == sum(served.tokens_in for served in server.served)


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_every_fault_is_an_answer_or_a_sentence(ask, kind):
    with ModelServer([Fault(kind, 30.0 if kind in ("slow", "drip") else 0.0)]) as server:
        model = ask(server, attempts=1, seconds=0.5 if kind in ("slow", "drip") else 30.0)
        usage, sentence = outcome(model)
        server.closing.set()
    assert sentence.isprintable()
    assert "geheim" not in sentence
    assert usage is not None or sentence
    if usage:
        assert spent(usage) == counted(server)


def outcome(model):
    try:
        return model.ask(SYSTEM, PROMPT).usage, ""
    except UnusableAnswer as error:
        return error.reply.usage, str(error)
    except ModelError as error:
        return None, str(error)
