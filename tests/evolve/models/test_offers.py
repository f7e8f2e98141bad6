"""A wrong model name is told before any work, with what the server offers; a name that may be right is let through."""

import socket

import pytest

from evolve import models
from evolve.errors import ModelError
from evolve.models import Settings
from evolve.models.endpoint import Endpoint
from evolve.models.retry import Patience
from tests.support.canned_server import Canned, CannedServer, completion, refusal

KEY = "sk-geheim-0001"


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def listed(*names):
    return Canned(200, {"object": "list", "data": [{"id": name} for name in names]})


def answering(models_listed, posted, single=None):
    """Return a server's answers to the list of its models, to a call, and to a question about one model."""

    def answer(asked):
        if asked.verb == "POST":
            return posted
        return models_listed if asked.path.partition("?")[0].endswith("/models") else single or Canned(404, "no route")

    return answer


def check(server, name="tinny", provider="openai", monkeypatch=None):
    if monkeypatch:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
    given = Settings(patience=Patience(attempts=1))
    return models.check_offers([models.load(f"{provider}:{name}", server.url, settings=given)])


NOT_FOUND = refusal(404, "The model `tinny` does not exist", code="model_not_found")


@pytest.mark.parametrize(
    "refused",
    [
        NOT_FOUND,
        refusal(400, "tinny is not a valid model ID"),
        refusal(400, "Invalid model name passed in model=tinny. Call `/v1/models` to view available models"),
        refusal(400, "Model Not Exist", type="invalid_request_error"),
        Canned(200, {"error": {"code": 404, "message": "no such model"}}),
    ],
)
def test_a_wrong_name_is_told_with_what_the_server_offers(refused):
    many = [f"other-{i}" for i in range(20)]
    sentence = r"does not know tinny \(.*\): check --model, .*; it offers tiny, "
    server = CannedServer(answering(listed(*many, "tiny", "tiny-\x1b[31m"), refused))
    with server, pytest.raises(ModelError, match=sentence) as caught:
        check(server)
    assert str(caught.value).endswith(" and 14 more")
    assert str(caught.value).isprintable()


def test_a_wrong_name_is_told_when_nothing_can_be_listed():
    with (
        CannedServer(answering(Canned(404, "no route"), NOT_FOUND)) as server,
        pytest.raises(ModelError, match="does not know tinny"),
    ):
        check(server)


def test_claude_of_a_gateway_is_checked_too(monkeypatch):
    server = CannedServer(answering(listed("claude-x"), refusal(404, "model: tinny")))
    with server, pytest.raises(ModelError, match="it offers claude-x"):
        check(server, "tinny", "anthropic", monkeypatch)


def test_a_name_that_is_listed_asks_nothing_more():
    for document in (listed("models/tinny"), Canned(200, {"models": [{"name": "tinny"}]}), Canned(200, ["tinny"])):
        with CannedServer(answering(document, NOT_FOUND)) as server:
            assert check(server) == []
        assert server.posted == []


@pytest.mark.parametrize(
    "posted",
    [
        completion(),
        refusal(400, "messages: at least one message is required"),
        refusal(
            400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        ),
        refusal(429, "slow down"),
        refusal(500, "model crashed: unknown"),
    ],
)
def test_a_name_that_a_server_may_take_unlisted_is_a_note(posted):
    with CannedServer(answering(listed("tiny"), posted)) as server:
        (note,) = check(server)
    assert note == f"{server.url} does not list tinny: it offers tiny"
    assert [body["messages"] for body in server.posted] == [[]], "nothing is asked that costs something"


def test_a_server_that_says_nothing_about_names_is_let_through():
    for code in (403, 404, 405, 500):
        with CannedServer(answering(Canned(code, "no"), refusal(400, "messages: field required"))) as server:
            assert check(server) == []


def test_a_public_servers_list_is_complete_but_for_other_names(monkeypatch):
    with CannedServer(answering(listed("tiny-2026"), completion(), listed())) as server:
        public = Endpoint(server.url, "OPENAI_API_KEY", "tiny")
        monkeypatch.setattr("evolve.models.openai.ENDPOINTS", (public,))
        assert check(server) == [], "it knows the alias when it is asked for it"
        server.answer = answering(listed("tiny-2026"), completion())
        assert check(server, "tiny-2026:free") == []
        with pytest.raises(ModelError, match="it offers tiny-2026"):
            check(server)
    assert server.posted == []


def test_a_refused_key_is_told_at_once_and_not_shown():
    sentence = r"refused the key \(401: wrong key \[key\]\): check the variable OPENAI_API_KEY"
    server = CannedServer(answering(refusal(401, f"wrong key {KEY}"), NOT_FOUND))
    with server, pytest.raises(ModelError, match=sentence):
        check(server)


def test_a_server_that_is_not_there_is_told_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ModelError, match=r"cannot be reached \(.*refused.*\): is it running"):
        models.check_offers([models.load("openai:tiny", f"http://127.0.0.1:{port}/v1")])


def test_models_that_are_no_servers_are_let_be(tmp_path):
    (tmp_path / "replies.json").write_text('["x"]')
    assert models.check_offers([models.load(f"scripted:{tmp_path / 'replies.json'}")]) == []
