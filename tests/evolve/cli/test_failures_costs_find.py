"""failures, costs and find on an example archive: what they count, what they find, and that a query is only ever text."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archives.archive import Archive
from archives.nouns import CallRecord, Usage
from evolve.cli import cli, run
from evolve.cli.show.tables import amount
from evolve.errors import UsageError
from evolve.queries.costs import costs
from evolve.queries.full_text import find
from fitness.nouns import Evaluation, Split, Status
from tests.support.example_run import REFUSALS, add_hostile, add_model_call, build

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("runs") / "example.db", 60)


@pytest.fixture
def paid(tmp_path: Path) -> Path:
    """A run with two priced calls of one model, one of which became an elite, and one that was cut off."""
    path = build(tmp_path / "paid.db", 20)
    archive = Archive.open(path, write=True)
    parent = archive.methods()[0].id
    for number, usd in ((101, 0.5), (102, 0.25)):
        add_model_call(archive, number, parent, usd)
    archive.add_calls([CallRecord(102, 2, "again", "", Usage("openai:tiny", 1, 100, 40, 0.25, 1.5, cached=60, reasoning=30))])
    archive.set_proposal_state(102, "done", placement="IMPROVED", gain=0.3)
    archive.set_proposal_state(101, "asked")
    archive.add_spend("lost", Usage("openai:tiny", 1), 101, worst_tokens=5000, worst_usd=0.1)
    archive.close()
    return path


def call(*arguments: str, db: Path, **env: str) -> Result:
    result = CliRunner().invoke(cli, [arguments[0], "--db", str(db), *arguments[1:]], env={"COLUMNS": "80", **env})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def asked(*arguments: str, db: Path) -> Any:
    found = json.loads(call(*arguments, "--json", db=db).output)
    assert isinstance(found, dict)
    return found


def test_failures_are_those_of_the_archive(example: Path) -> None:
    archive = Archive.open(example)
    refused = Counter(record.reason for record in archive.proposals("state = 'refused'"))
    failed = Counter((str(row["status"]), str(row["message"])) for row in archive.evaluations() if row["status"] != "OK")
    found = asked("failures", "-n", "99", db=example)
    lines = found["failures"]
    assert isinstance(lines, list)
    assert sum(line["count"] for line in lines) == refused.total() + failed.total()
    assert {(line["status"], line["reason"]): line["count"] for line in lines if line["status"] != "REFUSED"} == failed
    assert found["statuses"] == Counter(status for status, _ in failed.elements()) + Counter(REFUSED=refused.total())
    assert [line["count"] for line in lines] == sorted((line["count"] for line in lines), reverse=True)
    text = call("failures", db=example).output
    for line in lines:
        proposal = archive.proposals("id = ?", [line["proposal"]])[0]
        if line["status"] == "REFUSED":
            assert re.sub("[0-9a-f]{8}", "…", proposal.reason) == line["reason"]
            assert f"REFUSED  like proposal {proposal.id}\n" in text
        else:
            assert archive.evaluations(method=line["method"])[0]["message"] == line["reason"]
            assert f"{line['status']}  like {line['method'][:8]}\n" in text


def test_reasons_that_differ_in_an_id_only_are_one(example: Path) -> None:
    reasons = [line["reason"] for line in asked("failures", db=example)["failures"]]
    assert len(reasons) == len(set(reasons))
    assert {re.sub("[0-9a-f]{8}", "…", reason) for reason in REFUSALS} <= set(reasons)


def test_failures_of_one_status(example: Path) -> None:
    lines = asked("failures", "--status", "crashed", db=example)["failures"]
    assert {line["status"] for line in lines} == {"CRASHED"}
    with pytest.raises(UsageError, match=r"ended as EATEN: the statuses are .*CRASHED"):
        call("failures", "--status", "eaten", db=example)


def test_what_is_left_out_is_said(example: Path) -> None:
    whole, cut = asked("failures", db=example), asked("failures", "-n", "1", db=example)
    assert cut["reasons"] == whole["reasons"]
    assert len(cut["failures"]) == 1
    assert f"{int(str(whole['reasons'])) - 1} more reasons: see them with -n" in call("failures", "-n", "1", db=example).output


def test_an_unanswered_call_is_a_failure(paid: Path) -> None:
    Archive.open(paid, write=True).set_proposal_state(101, "unanswered", reason="the server is down")
    line = asked("failures", "--status", "unanswered", db=paid)["failures"][0]
    assert (line["reason"], line["proposal"], line["method"]) == ("the server is down", 101, "")


def test_costs_add_up_and_say_what_was_gained(paid: Path) -> None:
    found = asked("costs", db=paid)
    assert found["models"] == [
        {
            "model": "openai:tiny", "calls": 3, "tokens_in": 2500, "tokens_out": 640, "usd": 1.0, "cached": 60, "reasoning": 30,
            "placed": 1, "gain": 0.3, "seconds": 6.5, "gain_per_usd": 0.3,
        }
    ]  # fmt: skip
    assert found["lost"] == [{"model": "openai:tiny", "calls": 1, "tokens": 5000, "usd": 0.1}]
    text = call("costs", db=paid).output
    assert re.search(r"^openai:tiny +3 +2\.5k +60 +640 +30 +\$1\.00 +\.30 +0\.3$", text, re.MULTILINE)
    assert re.search(r"^cut off, at most .*\nopenai:tiny +1 +5\.0k +\$0\.10$", text, re.MULTILINE)


def test_an_unknown_price_is_unknown_and_says_what_to_do(paid: Path) -> None:
    archive = Archive.open(paid, write=True)
    add_model_call(archive, 103, archive.methods()[0].id, None)
    archive.add_spend("lost", Usage("openai:tiny", 1), 101, worst_tokens=5000, worst_usd=None)
    found = asked("costs", db=paid)
    assert [(line["usd"], line["gain_per_usd"]) for line in found["models"]] == [(None, None)]
    assert found["lost"] == [{"model": "openai:tiny", "calls": 2, "tokens": 10000, "usd": None}]
    assert "set `prices` in evolve.toml" in call("costs", db=paid).output


def test_the_view_and_the_verb_agree(paid: Path) -> None:
    archive = Archive.open(paid)
    (line,) = costs(archive)
    view = archive.rows("select * from costs")[0]
    assert {name: getattr(line, name) for name in view} == view


def test_a_run_without_a_model_paid_nothing(example: Path) -> None:
    assert "No model was asked" in call("costs", db=example).output
    assert asked("costs", db=example)["models"] == []


def test_find_looks_in_code_ideas_and_directions(example: Path, tmp_path: Path) -> None:
    path = build(tmp_path / "run.db", 20)
    archive = Archive.open(path, write=True)
    with archive.transaction():
        archive._db.execute("update directions set text = 'look at quantiles' where name = 'two views'")
        archive._db.execute("update proposals set idea = 'raise the QUANTILE' where id = 1")
    found = find(archive, "Quantile", 999)
    kinds = Counter(hit.kind for hit in found.hits)
    assert kinds == {"code": len(archive.methods()), "idea": 1, "direction": 1}
    assert found.total == len(found.hits)
    scores = [hit.fitness for hit in found.hits if hit.fitness is not None]
    assert scores == sorted(scores, reverse=True)
    code = next(hit for hit in found.hits if hit.kind == "code")
    source = archive.rows("select source from methods where id = ?", [code.method])[0]["source"]
    assert str(source).split("\n")[code.line - 1].strip() == code.text
    limited = find(archive, "quantile", 3)
    assert limited.hits == found.hits[:3]
    assert limited.total == found.total


def test_every_word_must_be_there_and_the_whole_comes_first(example: Path) -> None:
    archive = Archive.open(example)
    assert find(archive, "quantile nowhere", 9).total == 0
    both = find(archive, "weak student", 99)
    assert both.total > 0
    with_phrase = find(archive, "labels with the student's", 99)
    assert "labels with the student's" in with_phrase.hits[0].text


def test_what_show_takes_is_what_find_prints(example: Path) -> None:
    output = call("find", "quantile", "-n", "1", db=example).output
    assert call("show", output.splitlines()[1].split()[1], db=example).output


QUERIES = ('"', "a OR", "NEAR(x y)", "title:x", "*", "^a", "%", "_", "'; drop table methods; --", "\\", "(", "-x", "😀", "É")


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_text(query: str, example: Path) -> None:
    before = example.read_bytes()
    assert json.loads(call("find", "--json", "--", query, db=example).output)["query"] == query
    assert example.read_bytes() == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec=None), min_size=1, max_size=20))
def test_any_query_is_answered_and_found_where_it_stands(example: Path, query: str) -> None:
    archive = Archive.open(example)
    if not query.split():
        with pytest.raises(UsageError, match="say what to look for"):
            find(archive, query, 5)
        return
    found = find(archive, query, 500)
    words = [word.encode("utf-8", "replace").decode() for word in query.split()]
    exact = [m for m in archive.methods() if all(word in m.name + "\n" + m.source for word in words)]
    assert len([hit for hit in found.hits if hit.kind == "code"]) >= min(len(exact), 500)
    archive.close()


def test_very_many_words_are_a_sentence(example: Path) -> None:
    with pytest.raises(UsageError, match="40 words are too many"):
        call("find", *["x"] * 40, db=example)


@pytest.mark.parametrize("arguments", [["failures"], ["costs"], ["find", "e"], ["find", "alert red"]])
def test_hostile_texts_steer_no_terminal_and_fit_80_columns(arguments: list[str], tmp_path: Path) -> None:
    path = build(tmp_path / "hostile.db", 5, finished=False)
    archive = Archive.open(path, write=True)
    add_hostile(archive, 99, archive.methods()[0].id)
    failed = Evaluation(archive.methods()[0].id, (), Status.CRASHED, None, {}, "\x1b[31m" + "very long words " * 60)
    archive.add_evaluation(failed, None, "math", Split.FRESH, None)
    archive.add_spend("model", Usage("a model with \x1b[2J a very long name " * 5, 12345, 10**12, 10**10, 1234.5), None)
    archive.close()
    output = call(*arguments, db=path).output
    assert not CONTROLS.search(output)
    assert max(map(len, output.splitlines())) <= 80
    assert json.loads(call(*arguments, "--json", db=path).output)


@pytest.mark.parametrize("arguments", [["failures"], ["costs"], ["find", "e"]])
def test_they_answer_on_an_empty_run_and_beside_a_writer(arguments: list[str], tmp_path: Path) -> None:
    path = build(tmp_path / "live.db", 0, finished=False)
    writer = Archive.open(path, write=True)
    with writer.transaction():
        for name in ("elites", "trials", "evaluations", "events", "methods", "directions"):
            writer._db.execute(f"delete from {name}")
        assert call(*arguments, db=path).output
    writer.close()
    assert re.search("Nothing|No model", call(*arguments, db=path).output)


def test_they_say_what_is_wrong_with_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.db").write_text("hello" * 1000)
    for arguments in (["failures"], ["costs"], ["find", "x"]):
        assert run([*arguments, "--db", str(tmp_path / "text.db")]) == 2
        assert "not a database" in capsys.readouterr().err


def test_amounts_of_tokens_fit_five_characters() -> None:
    assert [amount(n) for n in (0, 999, 1000, 12_345, 99_950, 999_499, 999_500, 4_500_000, 10**12)] == [
        "0", "999", "1.0k", "12.3k", "100k", "999k", "1.0M", "4.5M", "1000G",
    ]  # fmt: skip
    assert all(len(amount(n)) <= 5 for n in range(0, 2_000_000, 37))
