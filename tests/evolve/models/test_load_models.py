"""Which models there are, and the sentence when one cannot be had."""

import random
import subprocess
import sys

import pytest

from evolve import models
from evolve.errors import UsageError
from evolve.models.openai import ENDPOINTS
from evolve.models.usage import price

LOCAL = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in [*(endpoint.variable for endpoint in ENDPOINTS), "OPENAI_BASE_URL"]:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("provider", models.TABLE)
def test_every_entry_is_a_provider(provider):
    """The contract: a class that makes models, and says what it could do with the keys it finds."""
    model = models.load(f"{provider}:some/model:free", LOCAL, rng=random.Random(0))
    assert model.name == f"{provider}:some/model:free"
    assert callable(model.ask)
    assert models.found_keys() == []


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("gpt-5-mini", "unknown model 'gpt-5-mini': write it as PROVIDER:NAME, with one of the providers: openai"),
        ("opanai:gpt-5-mini", "unknown model 'opanai:gpt-5-mini': the known providers are: openai"),
        ("openai:", "the model 'openai:' has no name: write it as openai:NAME"),
        ("openai:gpt-5-mini", "openai:gpt-5-mini needs a key: set OPENAI_API_KEY, or give --base-url for a server"),
    ],
)
def test_unusable_spec_is_a_sentence(spec, sentence):
    with pytest.raises(UsageError) as caught:
        models.load(spec)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "http://", "http://x:99999/v1", "http://[::1/v1"])
def test_unusable_url_is_a_sentence(url):
    with pytest.raises(UsageError, match="as a base URL: write it as http://HOST:PORT/v1"):
        models.load("openai:tiny", url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://localhost:9/v1", "http://[::1]:9/v1"])
def test_server_on_this_machine_needs_no_key(url):
    assert models.load("openai:tiny", url).name == "openai:tiny"


def test_key_is_the_one_of_the_host(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    with pytest.raises(UsageError, match="set OPENROUTER_API_KEY"):
        models.load("openai:openai/gpt-5-mini", "https://openrouter.ai/api/v1")


def test_key_with_characters_no_header_can_hold_is_a_sentence_without_the_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-geheim\nx")
    with pytest.raises(UsageError, match="OPENAI_API_KEY contains characters") as caught:
        models.load("openai:gpt-5-mini")
    assert "geheim" not in str(caught.value)


def test_missing_package_is_the_command_to_run(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(UsageError, match=r"needs the extra llm: run `pip install -e '\.\[llm\]'`"):
        models.load("openai:tiny", LOCAL)


def test_found_keys_name_variables_and_never_values(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-geheim")
    monkeypatch.setenv("DEEPSEEK_API_KEY", "geheim2")
    monkeypatch.setenv("GEMINI_API_KEY", " ")
    assert models.found_keys() == [
        "--model openai:gpt-5-mini  (with the key in OPENAI_API_KEY)",
        "--model openai:deepseek-chat --base-url https://api.deepseek.com  (with the key in DEEPSEEK_API_KEY)",
    ]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.variable)
def test_models_named_as_examples_have_known_prices(endpoint):
    assert price(endpoint.url, endpoint.example, 1000, 100) > 0


def test_looking_for_keys_imports_no_sdk():
    code = "import sys; from evolve import models; models.found_keys(); print({'openai', 'genai_prices'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
