"""What is particular to the anthropic provider: its request, its body, its prices, its variables."""

import pytest

from evolve import models
from evolve.errors import UsageError
from evolve.models import Settings
from evolve.models.answers import CUT
from evolve.models.anthropic import ANTHROPIC, is_adaptive, read_message
from evolve.models.pricing import price
from evolve.models.streams import document_in
from tests.support.model_faults import key_in
from tests.support.model_server import ModelServer


def read(body):
    """Return the answer in a body."""
    return read_message(document_in(body))


@pytest.fixture
def server(monkeypatch):
    with ModelServer() as running:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.root)
        yield running


def test_system_prompt_is_marked_for_the_cache(server):
    models.load("anthropic:claude-haiku-4-5", settings=Settings(tokens_out=2000)).ask("the rules", "the task")
    (request,) = server.requests
    assert request == {
        "model": "claude-haiku-4-5",
        "max_tokens": 2000,
        "system": [{"type": "text", "text": "the rules", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "the task"}],
    }


def test_no_system_prompt_is_no_empty_block(server):
    models.load("anthropic:claude-haiku-4-5").ask("", "the task")
    assert "system" not in server.requests[0]


@pytest.mark.parametrize(
    ("model", "adaptive"),
    [
        ("claude-haiku-4-5", False),
        ("claude-haiku-4-5-20251001", False),
        ("claude-3-7-sonnet-20250219", False),
        ("claude-opus-4-20250514", False),
        ("claude-opus-4-6", True),
        ("claude-sonnet-5", True),
        ("claude-fable-5-1", True),
        ("claude-mythos-preview", True),
    ],
)
def test_thinking_takes_the_form_that_the_model_knows(server, model, adaptive):
    wanted = {"type": "adaptive"} if adaptive else {"type": "enabled", "budget_tokens": 2048}
    assert is_adaptive(model) == adaptive
    models.load(f"anthropic:{model}", settings=Settings(thinking=2048)).ask("s", "p")
    assert server.requests[0]["thinking"] == wanted


@pytest.mark.parametrize("budget", [1, 1023, 16_384, -5])
def test_thinking_out_of_range_is_a_sentence(server, budget):
    with pytest.raises(UsageError, match=r"thinking takes from 1,024 to 16,383 .* or 0 for none; got"):
        models.load("anthropic:claude-haiku-4-5", settings=Settings(thinking=budget))


def test_base_url_of_openai_models_is_not_its_own(server):
    models.load("anthropic:claude-haiku-4-5", "http://127.0.0.1:9/v1").ask("s", "p")
    assert len(server.served) == 1


def test_other_credentials_of_the_environment_are_not_sent(server, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-one-0001")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another-token-0002")
    models.load("anthropic:claude-haiku-4-5").ask("s", "p")
    assert key_in(server.headers[0]) == "sk-ant-one-0001"
    assert "another-token-0002" not in str(server.headers[0])


@pytest.mark.parametrize(
    "body", ["", "nonsense", "[]", "null", '{"type": "error", "error": {}}', '{"content": "text"}', "[" * 100_000]
)
def test_body_that_is_no_message_is_not_read_as_one(body):
    assert read(body) is None


def test_cache_reads_and_writes_are_part_of_the_prompt():
    answer = read(
        '{"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}],'
        '"stop_reason": "end_turn", "usage": {"input_tokens": 100, "cache_creation_input_tokens": 30,'
        '"cache_read_input_tokens": 500, "output_tokens": 40, "output_tokens_details": {"thinking_tokens": 25}}}'
    )
    assert (answer.text, answer.refusal) == ("ab", "")
    assert (answer.tokens_in, answer.cached, answer.written) == (630, 500, 30)
    assert (answer.tokens_out, answer.reasoning, answer.counted) == (40, 25, True)


@pytest.mark.parametrize(
    "usage",
    [
        "null",
        "[]",
        '{"input_tokens": "9", "output_tokens": 3}',
        '{"input_tokens": 9, "output_tokens": -3}',
        '{"input_tokens": NaN}',
    ],
)
def test_counts_that_are_none_are_not_counted(usage):
    answer = read(f'{{"content": [null, 3, {{"type": "text", "text": 7}}], "stop_reason": 1, "usage": {usage}}}')
    assert (answer.text, answer.counted) == ("", False)


def test_a_cut_answer_says_so_whatever_cut_it():
    for stop in ("max_tokens", "model_context_window_exceeded"):
        answer = read(f'{{"content": [], "stop_reason": "{stop}"}}')
        assert answer.finish in CUT
        assert not answer.whole


def test_writing_to_the_cache_costs_more_and_reading_less():
    plain = price(ANTHROPIC.url, ANTHROPIC.example, 10_000, 100)
    assert price(ANTHROPIC.url, ANTHROPIC.example, 10_000, 100, 8_000) < plain
    assert price(ANTHROPIC.url, ANTHROPIC.example, 10_000, 100, 0, 8_000) > plain


def test_worst_case_is_a_prompt_written_to_the_cache_and_a_full_answer(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-one-0001")
    model = models.load(f"anthropic:{ANTHROPIC.example}", settings=Settings(tokens_out=5_000))
    system, prompt = "s" * 40_000, "p" * 2_000
    worst = model.worst_case(system, prompt)
    assert worst.tokens_out == 5_000
    assert worst.usd >= price(ANTHROPIC.url, ANTHROPIC.example, 42_000, 5_000, 0, 40_000)


def test_key_is_asked_for_by_its_variable():
    with pytest.raises(UsageError, match=r"needs a key: set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for a server on this"):
        models.load("anthropic:claude-haiku-4-5")
