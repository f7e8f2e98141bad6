"""Which models there are, and the sentence when one cannot be had."""

import random
import subprocess
import sys

import pytest

from archives.archive import Archive
from archives.nouns import CallRecord, Usage
from evolve import models
from evolve.errors import UsageError
from evolve.models.anthropic import ANTHROPIC
from evolve.models.openai import ENDPOINTS
from evolve.models.pricing import price
from evolve.testing import HostileModel, check_model
from tests.support.example_run import build
from tests.support.model_server import ModelServer

ALL = (*ENDPOINTS, ANTHROPIC)
KNOWN = "anthropic, command, openai, replay, scripted"
LOCAL = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in [*(endpoint.variable for endpoint in ALL), "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=list(models.TABLE))
def provided(request, tmp_path, monkeypatch):
    """Return a model of each provider on a real server, program or file, and a prompt that it answers."""
    system, prompt = "You improve methods.", "# Your turn: häufig"
    with ModelServer() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
        for endpoint in ALL:
            monkeypatch.setenv(endpoint.variable, "sk-geheim-0001")
        script = tmp_path / "replies.json"
        script.write_text('["an answer"]')
        words = {
            "openai": "some/model:free",
            "anthropic": "claude-haiku-4-5",
            "command": "/bin/sh -c 'cat; echo $OPENAI_API_KEY'",
            "replay": str(recorded(tmp_path, system, prompt)),
            "scripted": str(script),
        }
        spec = f"{request.param}:{words[request.param]}"
        yield spec, models.load(spec, server.url, rng=random.Random(0)), system, prompt


def recorded(folder, system, prompt):
    """Write an archive in which one prompt was answered."""
    path = build(folder / "run.db", 4)
    archive = Archive.open(path, write=True)
    archive.update_run(system=system)
    number = archive.proposals()[0].id
    with archive.transaction():
        archive._db.execute("update proposals set prompt = ? where id = ?", [prompt, number])
    archive.add_calls([CallRecord(number, 1, "an answer", "", Usage("openai:x", 1, 12, 3, 0.5, 1.0))])
    archive.close()
    return path


def test_every_provider_answers_within_its_worst_case_and_shows_no_secret(provided):
    """The contract of the table."""
    spec, model, system, prompt = provided
    assert model.name == spec
    check_model(model, system, prompt, ["geheim"])


def test_the_contract_of_a_model_names_what_does_not_hold():
    model = HostileModel("an answer")
    check_model(model, "", "")
    model.worst_case = lambda system, prompt: Usage("hostile", 1, 10, 10, 0.5)
    with pytest.raises(AssertionError, match="is within the worst case"):
        check_model(model, "", "")


@pytest.mark.parametrize("provider", models.TABLE)
def test_every_provider_says_what_it_could_do_with_the_keys_it_finds(provider):
    assert models._provider(provider).found_keys() == []


def test_every_provider_of_this_machine_is_in_the_table():
    assert set(models.OF_THIS_MACHINE) == set(models.TABLE) - {"openai", "anthropic"}


@pytest.mark.parametrize(
    ("spec", "risk"),
    [
        ("command:rm -rf x", "run that program"),
        (" command:x", "run that program"),
        ("scripted:x", "read that file"),
        ("replay:x", "read"),
    ],
)
def test_archive_does_not_choose_programs_and_files(spec, risk):
    with pytest.raises(UsageError, match=f"which would {risk}.*: to go on with it, say --model"):
        models.check_familiar(["openai:x", spec], None)


def test_archive_does_not_choose_who_is_sent_the_key():
    with pytest.raises(UsageError, match="name the server yourself with --base-url"):
        models.check_familiar(["openai:x"], "https://evil.example/v1")
    models.check_familiar(["openai:x", "anthropic:y"], "https://openrouter.ai/api/v1")
    models.check_familiar(["openai:x"], "http://127.0.0.1:8000/v1")
    models.check_familiar([], None)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("gpt-5-mini", f"unknown model 'gpt-5-mini': write it as PROVIDER:NAME, with one of the providers: {KNOWN}"),
        ("opanai:gpt-5-mini", f"unknown model 'opanai:gpt-5-mini': the known providers are: {KNOWN}"),
        ("command: ", "the model 'command: ' has no name: write it as command:NAME"),
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


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_missing_package_is_the_command_to_run(provider, monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-x")
    with pytest.raises(UsageError, match=rf"{provider}:tiny needs the extra llm: run `pip install -e '\.\[llm\]'`"):
        models.load(f"{provider}:tiny", LOCAL)


def test_found_keys_name_variables_and_never_values(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-geheim")
    monkeypatch.setenv("DEEPSEEK_API_KEY", "geheim2")
    monkeypatch.setenv("GEMINI_API_KEY", " ")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-geheim")
    assert models.found_keys() == [
        "--model openai:gpt-5-mini  (with the key in OPENAI_API_KEY)",
        "--model openai:deepseek-chat --base-url https://api.deepseek.com  (with the key in DEEPSEEK_API_KEY)",
        "--model anthropic:claude-haiku-4-5  (with the key in ANTHROPIC_API_KEY)",
    ]


@pytest.mark.parametrize("endpoint", ALL, ids=lambda endpoint: endpoint.variable)
def test_models_named_as_examples_have_known_prices(endpoint):
    assert price(endpoint.url, endpoint.example, 1000, 100) > 0


def test_looking_for_keys_imports_no_sdk():
    heavy = "{'httpx2', 'genai_prices'}"
    code = f"import sys; from evolve import models; models.found_keys(); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


PROVIDER = """
class Mine:
    def __init__(self, name, base_url, rng, settings):
        self.name = name
"""


def test_a_provider_of_ones_own_is_named_by_its_file_and_class(tmp_path):
    path = tmp_path / "provider.py"
    path.write_text(PROVIDER)
    assert models.load(f"{path}:Mine:llama3:8b").name == "llama3:8b"
    for spec, said in (
        (f"{path}:Mine", "has no name: write it as .*provider.py:Mine:NAME"),
        (f"{path}:Other:x", "provider.py defines no Other"),
        (f"{path}", "unknown model .*write it as PROVIDER:NAME"),
        (f"{tmp_path}/nowhere.py:Mine:x", "cannot read .*nowhere.py: No such file"),
        ("no.such.module:Mine:x", r"the module no\.such\.module cannot be imported"),
        ("llama3.1:8b", "unknown model 'llama3.1:8b': the known providers are"),
    ):
        with pytest.raises(UsageError, match=said):
            models.load(spec)


def test_archive_does_not_choose_code(tmp_path):
    with pytest.raises(UsageError, match="which would run that code here: to go on with it, say --model"):
        models.check_familiar([f"{tmp_path}/evil.py:Mine:x"], None)
