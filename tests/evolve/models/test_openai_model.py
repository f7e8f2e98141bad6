"""What is particular to the openai provider: its body, its URLs, its prices."""

import pytest

from archives.nouns import Usage
from evolve import models
from evolve.errors import ModelError
from evolve.models import Price, Settings
from evolve.models.answers import read_answer
from evolve.models.pricing import price
from evolve.models.retry import Patience
from evolve.models.streams import document_in
from evolve.nouns import total
from evolve.text import quote
from tests.support.model_server import ModelServer

KEY = "sk-geheim-0123456789"


def test_price_of_a_local_model_is_unknown_even_under_a_famous_name():
    with ModelServer() as server:
        known = models.load("openai:gpt-5-mini", server.url).ask("s", "p")
    assert known.usage.usd is None


def test_wrong_path_names_the_missing_v1():
    with ModelServer() as server:
        model = models.load("openai:tiny", server.root)
        with pytest.raises(ModelError, match=r"\(404: .*\): check --model, and that --base-url ends in /v1"):
            model.ask("s", "p")


def test_password_in_the_url_is_not_shown():
    bad = models.load("openai:tiny", "http://me:geheim@127.0.0.1:9/v1", settings=Settings(patience=Patience(attempts=1)))
    with pytest.raises(ModelError, match=r"^http://127\.0\.0\.1:9/v1 cannot be reached") as caught:
        bad.ask("s", "p")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    ["", "nonsense", "[]", "null", '{"error": "x"}', '{"choices": {}}', '{"choices": null}', "[" * 100_000],
)
def test_body_that_is_no_completion_is_not_read_as_one(body):
    assert read_answer(document_in(body)) is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"choices": []}', ""),
        ('{"choices": [null]}', ""),
        ('{"choices": [{"message": null}]}', ""),
        ('{"choices": [{"message": {"content": 3}}], "usage": "many"}', ""),
        ('{"choices": [{"message": {"content": "a\\ud800b"}}], "usage": {"prompt_tokens": -1}}', "a?b"),
        ('{"choices": [{"message": {"content": [{"type": "text", "text": "a"}, 7, {"text": "b"}]}}]}', "ab"),
        ('{"choices": [], "usage": {"prompt_tokens": true, "completion_tokens": 1e3}}', ""),
    ],
)
def test_odd_completion_is_read_without_trusting_its_types(body, text):
    answer = read_answer(document_in(body))
    assert answer.text == text
    assert (answer.tokens_in, answer.tokens_out, answer.counted) == (0, 0, False)


@pytest.mark.parametrize(
    ("usage", "cached", "reasoning"),
    [
        ('"prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 3}', 8, 3),
        ('"prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 4', 6, 0),
        ('"prompt_tokens_details": {"cached_tokens": 99}, "completion_tokens_details": {"reasoning_tokens": 99}', 10, 5),
        ('"prompt_tokens_details": null, "completion_tokens_details": [1]', 0, 0),
    ],
)
def test_cached_and_reasoning_tokens_in_every_form(usage, cached, reasoning):
    answer = read_answer(document_in(f'{{"choices": [], "usage": {{"prompt_tokens": 10, "completion_tokens": 5, {usage}}}}}'))
    assert (answer.cached, answer.reasoning) == (cached, reasoning)


def test_cached_tokens_cost_less_and_unknown_prices_are_unknown():
    url = "https://api.openai.com/v1"
    assert 0 < price(url, "gpt-5-mini", 10_000, 100, cached=8_000) < price(url, "gpt-5-mini", 10_000, 100)
    assert price(url, "no-such-model", 10, 10) is None
    assert price("http://127.0.0.1:8000/v1", "gpt-5-mini", 10, 10) is None


def test_own_price_is_dollars_a_million_tokens():
    assert Price(2.0, 8.0).of(1_000_000, 500_000, 400_000) == 6.0
    assert Price(2.0, 8.0, 1.0).of(1_000_000, 0, 400_000) == pytest.approx(1.6)
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        Price(1.0, -1.0)
    with pytest.raises(ValueError, match="finite number"):
        Price(1.0, 1.0, float("nan"))


def test_sum_with_one_unknown_price_is_unknown():
    one, other = Usage("m", 1, 10, 5, 0.5, 1.0, 4, 2), Usage("m", 1, 20, 5, None, 1.0)
    assert total([one, one]) == Usage("m", 2, 20, 10, 1.0, 2.0, 8, 4)
    assert total([one, other]) == Usage("m", 2, 30, 10, None, 2.0, 4, 2)
    assert total([]) == Usage()


def test_stranger_text_in_a_sentence_is_one_printable_line_without_keys():
    text = f"bad\x1b[31m\nkey {KEY} or sk-other123 or Bearer abc.def " + "x" * 500
    line = quote(text, [KEY])
    assert line.startswith("bad [31m key [key] or [key] or Bearer [key] xxx")
    assert len(line) == 200
