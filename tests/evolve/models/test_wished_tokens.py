"""The limit of an answer is learnt from a refusal: a number that it names, or what the prompt leaves of the context."""

import pytest

from evolve import models
from evolve.models import Settings
from evolve.models.retry import Patience
from tests.support.canned_server import CannedServer, completion, in_turn, refusal


def load(server):
    return models.load("openai:tiny", server.url, settings=Settings(patience=Patience(attempts=1)))


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        ("max_tokens: 16384 > 8192, which is the maximum allowed number of output tokens for tiny-20241022", 8192),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
        ("This model supports at most 4,096 completion tokens, whereas you provided 16384.", 4096),
        ("max_tokens is too large", 8192),
        ("max_tokens is too large: use at most 2000 tokens instead", 2000),
    ],
)
def test_a_smaller_limit_is_learnt(said, tokens):
    with CannedServer(in_turn(refusal(400, said), completion())) as server:
        load(server).ask("s", "p")
    assert [body["max_tokens"] for body in server.posted] == [16_384, tokens]


def test_a_long_prompt_leaves_later_answers_their_length():
    said = "This model's maximum context length is 20000 tokens. However, your prompt is too long: reduce max_tokens to 300"

    def answer(asked):
        return refusal(400, said) if "long" in str(asked.body) and asked.body["max_tokens"] > 300 else completion()

    with CannedServer(answer) as server:
        model = load(server)
        model.ask("s", "a long one")
        model.ask("s", "p")
    assert [body["max_tokens"] for body in server.posted] == [16_384, 300, 16_384]


ROOM = "However, you requested 17000 tokens (616 in the messages, 16384 in the completion)."
TGI = "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 3000 `inputs` tokens and 16384 `max_new_tokens`"


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        (f"This model's maximum context length is 8192 tokens. {ROOM}", 7576),
        ("maximum context length is 16384 tokens and your request has 3000 input tokens (16384 > 16384 - 3000).", 13384),
        (TGI, 1096),
        (TGI.replace("`", ""), 1096),
        (
            "maximum context length is 8,192 tokens, however you requested 22384 (6000 in your prompt; 16384 for the answer)",
            2192,
        ),
        ("input length and `max_tokens` exceed context limit: 19000 + 16384 > 32768, decrease input length", 13768),
        ("max_tokens is too large: your prompt has 3000 tokens", 8192),
        ("You passed 3000 input tokens and requested 16384 output tokens. But the context length is only 8192 tokens", 5192),
    ],
)
def test_what_the_prompt_leaves_of_the_context_is_learnt_and_not_the_prompts_own_length(said, tokens):
    with CannedServer(in_turn(refusal(400, said), completion())) as server:
        load(server).ask("s", "p")
    assert [body["max_tokens"] for body in server.posted] == [16_384, tokens]
