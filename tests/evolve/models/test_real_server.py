"""The openai provider against a server that somebody else wrote, with a language model built on the spot: no network or key."""

import contextlib
import os
import random
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evolve import models
from evolve.errors import ModelError
from evolve.models import Settings
from evolve.models.retry import Patience
from evolve.nouns import UnusableAnswer

pytestmark = pytest.mark.slow
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOKENS = 24


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Serve a tiny Qwen3 of random weights with `transformers serve`; return its URL and its name."""
    for package in ("transformers", "fastapi", "uvicorn"):
        pytest.importorskip(package, reason="needs transformers[serving]")
    folder = tmp_path_factory.mktemp("tiny")
    build(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cache = tmp_path_factory.mktemp("cache")
    line = [str(Path(sys.executable).with_name("transformers")), "serve", str(folder), "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(cache)}
    with open(cache / "log", "w") as log:
        server = subprocess.Popen(
            [*line, "--host", "127.0.0.1", "--port", str(port)], env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server, cache / "log")
            yield f"http://127.0.0.1:{port}/v1", str(folder)
        finally:
            server.kill()
            server.wait()


def build(folder):
    """Write a byte-level Qwen3 with 107 k random parameters, about 0.45 MB."""
    import torch
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytes_only = Tokenizer(BPE(vocab={sign: i for i, sign in enumerate(alphabet)}, merges=[]))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    bytes_only.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_only, eos_token="<|im_end|>", pad_token="<|im_end|>")
    tokenizer.chat_template = TEMPLATE
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "head_dim": 16, "num_attention_heads": 4}
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.eos_token_id}
    torch.manual_seed(0)
    config = Qwen3Config(vocab_size=len(tokenizer), num_key_value_heads=2, max_position_embeddings=4096, **sizes, **ends)
    Qwen3ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def wait_for(url, server, log):
    """Wait until the server answers. Raises AssertionError when it does not."""
    for _ in range(600):
        try:
            return urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(0.2)
            assert server.returncode is None, log.read_text()[-2000:]
    raise AssertionError(f"the server did not start: {log.read_text()[-2000:]}")


def load(served, name=""):
    url, folder = served
    settings = Settings(tokens_out=TOKENS, patience=Patience(attempts=2, first=0.1))
    return models.load(f"openai:{name or folder}", url, rng=random.Random(0), settings=settings)


def test_a_real_server_counts_as_we_do(served, tell):
    model = load(served)
    worst = model.worst_case("be brief", "häufig")
    with pytest.raises(UnusableAnswer, match=f"cut short after {TOKENS} tokens") as caught:  # random weights do not stop
        model.ask("be brief", "häufig")
    usage = caught.value.reply.usage
    said = "<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\nhäufig<|im_end|>\n<|im_start|>assistant\n"
    assert usage.tokens_in == len(said.replace("<|im_start|>", "x").replace("<|im_end|>", "x").encode())
    assert usage.tokens_out == TOKENS
    assert worst.tokens_in >= usage.tokens_in
    assert usage.usd is None
    tell(f"transformers serve: {usage.tokens_in} tokens in, {usage.tokens_out} out, {usage.seconds:.2f} s")


def test_threads_share_it(served):
    model = load(served)

    def ask(number):
        with pytest.raises(UnusableAnswer) as caught:
            model.ask("s", f"prompt {number}")
        return caught.value.reply.usage.tokens_out

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(8))) == [TOKENS] * 8


def test_a_model_that_it_does_not_have_is_a_sentence(served):
    with pytest.raises(ModelError) as caught:
        load(served, "no/such-model").ask("s", "p")
    assert not isinstance(caught.value, UnusableAnswer)
    assert str(caught.value).startswith(served[0])
    assert str(caught.value).isprintable()


def test_a_prompt_longer_than_its_context_is_an_answer_or_a_sentence(served):
    with pytest.raises(ModelError) as caught:
        load(served).ask("s", "x" * 20_000)
    assert str(caught.value).isprintable()
