"""Base URLs in every form that people have: with a query, with a password, in the same network, inside of a container."""

import pytest

from evolve import models
from evolve.errors import ModelError, UsageError
from evolve.models import Settings
from evolve.models.endpoint import is_loopback, is_private
from evolve.models.openai import is_familiar
from evolve.models.retry import Patience
from tests.support.canned_server import METHOD, Canned, CannedServer, completion, in_turn, message

ONCE = Settings(patience=Patience(attempts=1))


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("/v1?api-version=2024-10-21", "/v1/chat/completions?api-version=2024-10-21"),
        ("/v1/?a=b%20c&a=d&empty=", "/v1/chat/completions?a=b%20c&a=d&empty="),
        ("?key=geheimes-wort", "/chat/completions?key=geheimes-wort"),
        ("/v1#part", "/v1/chat/completions"),
        ("/openai/deployments/tiny/", "/openai/deployments/tiny/chat/completions"),
    ],
)
def test_the_query_of_a_base_url_stands_behind_the_path(base, path, monkeypatch):
    with CannedServer(in_turn(completion())) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.root + base)
        assert models.load("openai:tiny").ask("s", "p").text == METHOD
    assert server.asked[0].path == path


def test_the_query_of_claudes_base_url_stands_behind_the_path_too(monkeypatch):
    with CannedServer(in_turn(message())) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"{server.root}/gateway/?team=a")
        assert models.load("anthropic:tiny").ask("s", "p").text == METHOD
        models.check_offers([models.load("anthropic:tiny")])
    assert [asked.path for asked in server.asked][:2] == [
        "/gateway/v1/messages?team=a",
        "/gateway/v1/models?team=a&limit=1000",
    ]


@pytest.mark.parametrize("echo", ["key=geheimes-wort&v=1", "geheimes-wort", "geheimes%2Dwort"])
def test_a_key_in_a_query_is_never_shown(echo, monkeypatch):
    with CannedServer(in_turn(Canned(400, f"cannot use {echo}"))) as server:
        query = echo if "=" in echo else f"key={echo}"
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}?{query}")
        with pytest.raises(ModelError, match=r"cannot use \[key\]") as caught:
            models.load("openai:tiny", settings=ONCE).ask("s", "p")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.1.20:8000/v1",
        "http://10.0.0.5:11434/v1",
        "http://172.17.0.1:8000/v1",
        "http://169.254.3.4/v1",
        "http://100.64.0.7:8000/v1",
        "http://[fd12::1]:8000/v1",
        "http://[fe80::1%25eth0]:8000/v1",
        "http://0.0.0.0:8000/v1",
        "http://host.docker.internal:8000/v1",
        "http://host.containers.internal:8000/v1",
        "http://ollama:11434/v1",
        "http://gpubox.local:8000/v1",
        "http://GPUBOX.LAN.:8000/v1",
        "http://vllm.svc.cluster.local:8000/v1",
        "http://box.home.arpa/v1",
        "http://gpu.fritz.box/v1",
        "http://x.localdomain/v1",
        "http://x.localnet/v1",
        "http://vllm.default.svc/v1",
        "http://x.private/v1",
        "http://ollama.service.consul/v1",
    ],
)
def test_a_server_in_the_same_network_needs_no_key(url, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert is_private(url)
    assert models.load("openai:tiny", url).name == "openai:tiny"


@pytest.mark.parametrize(
    "url",
    [
        "http://a..b/v1",
        "http://.b/v1",
        "http://b../v1",
        f"http://{'a' * 64}.org/v1",
        f"http://{'a.' * 127}org/v1",
        "http://ä..b/v1",
        "http://h h/v1",
        "http://127.0.0.1:1/v1 x",
        "http://h|h/v1",
        "http://a%20b/v1",
        "http://h\t/v1",
    ],
)
def test_a_host_that_cannot_be_looked_up_and_a_url_with_a_blank_are_no_base_url(url):
    with pytest.raises(UsageError, match=r"cannot use .* as a base URL: write it as"):
        models.load("openai:tiny", url)


@pytest.mark.parametrize("url", ["http://a_b:1/v1", "http://ä.example.org/v1", f"http://{'a' * 63}.org./v1", "http://[::1]/v1"])
def test_every_host_that_can_be_looked_up_is_a_base_url(url, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert models.load("openai:tiny", url).name == "openai:tiny"


@pytest.mark.parametrize(
    "url",
    [
        "https://model.example.org/v1",
        "http://fritz.box.example.org/v1",
        "http://xsvc.org/v1",
        "http://8.8.8.8/v1",
        "http://[2606:4700::1]/v1",
        "http://1.1/v1",
    ],
)
def test_a_server_elsewhere_needs_one_and_is_told_so_at_once(url, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match="openai:tiny needs a key: set OPENAI_API_KEY, or give --base-url"):
        models.load("openai:tiny", url)


@pytest.mark.parametrize(
    "url", ["http://gpubox.local/v1", "http://192.168.1.20/v1", "http://host.docker.internal/v1", "http://a/v1"]
)
def test_a_server_in_the_same_network_is_no_familiar_one(url):
    assert not is_loopback(url)
    assert not is_familiar(url), "an archive may not choose it: it would be sent a key"


def test_no_key_is_no_header(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with CannedServer(in_turn(completion(), Canned(401, {"error": {"message": "who are you?"}}))) as server:
        model = models.load("openai:tiny", server.url)
        model.ask("s", "p")
        with pytest.raises(
            ModelError, match=r"refused a call without a key \(401: who are you\?\): set the variable OPENAI_API_KEY"
        ):
            model.ask("s", "p")
    assert "Authorization" not in server.asked[0].headers
