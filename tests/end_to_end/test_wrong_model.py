"""A model that cannot be asked is told before anything is judged or written, and once when it is found out later."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.end_to_end.test_end_to_end import start
from tests.support import tiny
from tests.support.canned_server import Asked, Canned, CannedServer, completion, refusal

NOT_FOUND = refusal(404, "The model `tinny` does not exist", code="model_not_found")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


def begin(server: CannedServer, *arguments: str) -> int:
    return start("--model", "openai:tinny", "--base-url", server.url, "--set", "offline_share=0", *arguments, evals=3)


def listing(asked: Asked) -> Canned:
    return NOT_FOUND if asked.verb == "POST" else Canned(200, {"data": [{"id": "tiny"}, {"id": "larger"}]})


def test_a_wrong_name_costs_no_baselines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with CannedServer(listing) as server:
        assert begin(server) != 0
    said = "".join(capsys.readouterr())
    assert said.count("does not know tinny") == 1
    assert "it offers tiny, larger" in said
    assert "judging" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_asks_nothing() -> None:
    with CannedServer(listing) as server:
        assert begin(server, "--dry-run") == 0
    assert server.asked == []


def test_a_server_that_is_not_there_costs_no_baselines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    assert start("--model", "openai:tinny", "--base-url", url) != 0
    assert "cannot be reached" in "".join(capsys.readouterr())
    assert list(tmp_path.iterdir()) == []


def test_what_is_found_out_only_later_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(asked: Asked) -> Canned:
        if asked.verb == "GET":
            return Canned(404, "no such page")
        return NOT_FOUND if asked.body["messages"] else refusal(400, "messages: field required")

    with CannedServer(answer) as server:
        assert begin(server, "--json") != 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    told = [line["text"] for line in lines if line.get("event") == "model" and "did not answer" in line["text"]]
    assert len(told) == 1, told


def test_a_stranger_to_the_list_is_a_note_before_the_baselines(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(asked: Asked) -> Canned:
        return listing(asked) if asked.verb == "GET" else completion()

    with CannedServer(answer) as server:
        assert begin(server) == 0
    said = "".join(capsys.readouterr())
    assert said.index("does not list tinny: it offers tiny, larger") < said.index("judging the seeds")
