"""The providers that answer out of a file: scripted replies, and a recorded run."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archives.archive import Archive
from archives.nouns import CallRecord, RunRecord, Usage
from evolve import models
from evolve.errors import ModelError, UsageError
from evolve.models.recorded import Call, Recording
from evolve.nouns import TURN, UnusableAnswer
from tests.support.example_run import build

SYSTEM = "the rules"


@pytest.fixture
def script(tmp_path):
    def make(content):
        path = tmp_path / "replies.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return f"scripted:{path}"

    return make


def test_replies_are_given_in_turn_from_the_start_again(script):
    model = models.load(script(["one", "two"]))
    assert [model.ask("s", "p").text for _ in range(5)] == ["one", "two", "one", "two", "one"]
    assert model.ask("s", "p").usage == Usage(model.name, 1, 0, 0, 0.0)


def test_every_reply_is_given_once_to_many_threads(script):
    model = models.load(script([str(i) for i in range(200)]))
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: model.ask("s", "p").text, range(200)))
    assert sorted(map(int, said)) == list(range(200))


def test_empty_and_endless_replies_are_unusable(script):
    model = models.load(script(["", "x" * 200_000, "a\ud800b"]))
    with pytest.raises(UnusableAnswer, match=r"was empty$"):
        model.ask("s", "p")
    with pytest.raises(UnusableAnswer, match="was too long") as caught:
        model.ask("s", "p")
    assert len(caught.value.reply.text) == 100_000
    assert model.ask("s", "p").text == "a?b"


@pytest.mark.parametrize("content", ["", "nonsense", "{}", "[]", "[1]", '["a", null]', "[" * 100_000, "3"])
def test_file_without_replies_is_a_sentence(script, content):
    with pytest.raises(UsageError, match=r"replies\.json holds no replies: write a JSON list of strings, such as"):
        models.load(script(content))


def test_a_script_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "replies.json"
    path.write_bytes(b'\xef\xbb\xbf["one"]')
    assert models.load(f"scripted:{path}").ask("", "").text == "one"
    path.write_bytes('["one"]'.encode("utf-16"))
    with pytest.raises(UsageError, match="holds no replies"):
        models.load(f"scripted:{path}")


def test_no_file_is_a_sentence(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read the replies in .*nothing\.json: No such file"):
        models.load(f"scripted:{tmp_path / 'nothing.json'}")
    with pytest.raises(UsageError, match=r"cannot read the replies in .*: Is a directory"):
        models.load(f"scripted:{tmp_path}")


@pytest.fixture
def recorded(tmp_path):
    """Write an archive with a proposal of two turns, one with a cut answer, and one that was asked twice."""
    path = tmp_path / "run.db"
    build(path, 12)
    archive = Archive.open(path, write=True)
    archive.update_run(system=SYSTEM)
    ids = [record.id for record in archive.proposals()][:4]
    calls = (
        ("first" + TURN.format(2) + "mend it" + TURN.format(3) + "again", ["broken", "mended", "third"], ""),
        ("long", ["half an ans"], "the answer of openai:x was cut short"),
        ("same", ["one"], ""),
        ("same", ["two"], ""),
    )
    with archive.transaction():
        archive._db.execute("delete from spend")
        for number, (prompt, _, _) in zip(ids, calls):
            archive._db.execute("update proposals set prompt = ? where id = ?", [prompt, number])
    for number, (_, replies, problem) in zip(ids, calls):
        for turn, reply in enumerate(replies, start=1):
            usage = Usage("openai:x", 1, 10 * turn, 5, 0.25, 1.0, 4, 2)
            archive.add_calls([CallRecord(number, turn, reply, problem, usage)])
    archive.close()
    return path


def test_recorded_prompts_are_answered_as_then_turn_by_turn(recorded):
    model = models.load(f"replay:{recorded}")
    said = [model.ask(SYSTEM, prompt).text for prompt in ("first", "first\n\nmend it", "first\n\nmend it\n\nagain")]
    assert said == ["broken", "mended", "third"]
    assert [model.ask(SYSTEM, "same").text for _ in range(3)] == ["one", "two", "one"]
    assert model.ask(SYSTEM, "first").usage == Usage(model.name, 1, 10, 5, 0.0, 0.0, 4, 2)


def test_a_recording_answers_where_other_versions_are_installed(recorded):
    rules = "# Rules\n\n- Imports: only torch.\n{}- Do not peek.\n"
    archive = Archive.open(recorded, write=True)
    archive.update_run(system=rules.format("- Versions: Python 3.11.2, torch 2.2.0.\n"))
    archive.close()
    model = models.load(f"replay:{recorded}")
    for line in ("- Versions: Python 3.14.0, torch 3.0.0+cu130.\n", ""):
        assert model.ask(rules.format(line), "first").text == "broken"
    with pytest.raises(ModelError, match="not in the recording"):
        model.ask(rules.format("- Version: 3\n"), "first")


@pytest.mark.parametrize(
    "pace", ["- takes about 2 times as long as a plain method", "- takes about 4 times as long as a plain method"]
)
def test_a_recording_answers_on_a_busier_machine(recorded, pace):
    model = models.load(f"replay:{recorded}")
    assert model.ask(SYSTEM, f"first\n{pace}").text == "broken"
    assert model.ask(SYSTEM, f"first\n{pace}\n\nmend it").text == "mended"
    with pytest.raises(ModelError, match="not in the recording"):
        model.ask(SYSTEM, f"first\n- PGR 0.20\n{pace}")


def test_what_was_unusable_then_is_unusable_again(recorded):
    with pytest.raises(UnusableAnswer, match="the answer of openai:x was cut short") as caught:
        models.load(f"replay:{recorded}").ask(SYSTEM, "long")
    assert caught.value.reply.text == "half an ans"


@pytest.mark.parametrize(("system", "prompt"), [(SYSTEM, "other"), ("other rules", "first"), (SYSTEM, "mend it")])
def test_prompt_that_was_never_asked_is_a_sentence(recorded, system, prompt):
    with pytest.raises(ModelError, match="this prompt is not in the recording"):
        models.load(f"replay:{recorded}").ask(system, prompt)


def test_archive_that_cannot_be_replayed_is_a_sentence(tmp_path):
    with pytest.raises(UsageError, match=r"cannot replay .*none\.db: there is no archive at"):
        models.load(f"replay:{tmp_path / 'none.db'}")
    (tmp_path / "text.db").write_text("not a database")
    with pytest.raises(UsageError, match=r"cannot replay .*text\.db: "):
        models.load(f"replay:{tmp_path / 'text.db'}")
    empty = Archive.create(tmp_path / "empty.db")
    empty.add_run(RunRecord("r", "", "embedded", "1", "v", "{}", 0, "running", "A", "0"))
    empty.close()
    with pytest.raises(UsageError, match="no model call is recorded in it"):
        models.load(f"replay:{tmp_path / 'empty.db'}")


def test_a_folder_answers_each_search_as_its_namesake(recorded, tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    with pytest.raises(UsageError, match=r"cannot replay .*study: there is no archive in that folder"):
        models.load(f"replay:{study}")
    shutil.copy(recorded, study / "iid-0.db")
    with pytest.raises(ModelError, match="not in the recording"):
        models.load(f"replay:{study}").ask(SYSTEM, "first")
    asked = models.load(f"replay:{study}", settings=models.Settings(run=Path("elsewhere/iid-0.db")))
    assert asked.ask(SYSTEM, "first").text == "broken"
    with pytest.raises(UsageError, match=r"there is no iid-1\.db in that folder"):
        models.load(f"replay:{study}", settings=models.Settings(run=Path("elsewhere/iid-1.db")))


def test_recording_of_records_needs_no_archive():
    records = [Call("p", CallRecord(1, 1, reply, "", Usage("m", 1, 7, 3))) for reply in ("a", "b")]
    recording = Recording("s", records)
    assert [recording.next("s", "p").reply for _ in range(2)] == ["a", "b"]
    assert len(recording) == 2
    assert recording.find("s", "other") == []
