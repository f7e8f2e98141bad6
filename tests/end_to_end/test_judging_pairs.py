"""`judge FILE... --against`: two methods on the same rows, order and seed, and their difference as the final table has it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import evolve
from archives.archive import Archive
from evolve.cli import run
from evolve.queries.final_table import comparisons, verdict
from fitness import pgr
from fitness.nouns import Evaluation, Score, Split, Status, Trial
from fitness.tasks.task import SEEDS
from tests.support import tiny
from tests.support.example_run import build

LDA = (SEEDS / "lda.py").read_text()
NOTING = "def method(problem):\n    print({words!r})\n    problem.note('seed', problem.seed)\n    return {answer}\n"
FIRST = "problem.test_x[:, 0].sigmoid()"


@pytest.fixture(autouse=True)
def _tiny_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny.register(monkeypatch)
    monkeypatch.chdir(tmp_path)


def judged(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    command = ["judge", *arguments, "--task", "tiny", "--no-probes", "--json", "--device", "cpu"]
    assert run(command) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def values(rows: list[Mapping[str, Any]], name: str = "pgr") -> list[float]:
    return [row[name] for row in rows]


def test_a_method_that_differs_in_nothing_but_its_id_has_the_same_score_on_every_instance(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("same.py").write_text(f"{LDA}\nUNUSED = 0.1234567\n")
    found = judged(capsys, "same.py", "--against", "lda", "--instances", "4")
    other = found["against"]
    assert found["method"] != other["method"]
    assert values(found["instances"]) == values(other["instances"])
    assert (other["difference"], other["low"], other["high"]) == (0.0, 0.0, 0.0)
    alone = judged(capsys, "same.py", "--instances", "4")
    assert values(alone["instances"]) != values(found["instances"]), "alone it keeps the draw of its own id"
    assert alone["against"] is None


def test_a_against_b_and_b_against_a_are_the_same_draw_and_no_third_method_changes_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("a.py").write_text(NOTING.format(words="a", answer=FIRST))
    Path("b.py").write_text(NOTING.format(words="b", answer=f"1 - {FIRST}"))
    Path("c.py").write_text(NOTING.format(words="c", answer=f"0 * {FIRST}"))
    _, forth = judged(capsys, "c.py", "a.py", "--against", "b.py", "--instances", "2")
    back = judged(capsys, "b.py", "--against", "a.py", "--instances", "2")
    assert values(forth["instances"]) == values(back["against"]["instances"])
    assert values(back["instances"]) == values(forth["against"]["instances"])
    assert (forth["against"]["low"], forth["against"]["high"]) == (None, None), "of two instances"
    assert forth["against"]["difference"] == -back["against"]["difference"] != 0
    seeds = [row["notes"]["seed"] for row in forth["instances"]]
    assert seeds == [row["notes"]["seed"] for row in back["instances"]]
    assert seeds == [row["notes"]["seed"] for row in back["against"]["instances"]]
    assert len(set(seeds)) == 2, "one seed an instance"


def test_the_difference_of_judge_is_the_arithmetic_of_the_final_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.py").write_text(NOTING.format(words="a", answer=FIRST))
    found = judged(capsys, "a.py", "--against", "lda", "--instances", "5")
    db = build(tmp_path / "e.db", 4)
    with contextlib.closing(Archive.open(db, write=True)) as archive:
        champion, human = archive.run().champion, archive.run().human_best
        for method, rows in ((champion, found["instances"]), (human, found["against"]["instances"])):
            scores = [Score(r["pgr"], 0.02, r["transfer_acc"], r["weak_acc"], r["strong_acc"], 300) for r in rows]
            trials = tuple(Trial(method, "tiny", "judged", i, Split.FRESH, Status.OK, score) for i, score in enumerate(scores))
            archive.add_evaluation(Evaluation(method, trials, Status.OK, None), None, "judged", Split.FRESH, None)
        table = {line.domain: line for line in comparisons(archive, champion, human, "judged")}["judged"]
        archive.execute("update evaluations set split = 'dev' where split = 'fresh' and domain != 'judged'")
        whole = verdict(archive, archive.run())
    said = found["against"]
    assert (said["difference"], said["low"]) == (table.difference, table.lower_bound)
    assert (said["difference"], said["low"], said["high"]) == (whole.difference, whole.low, whole.high)
    assert said["low"] < said["difference"] < said["high"]
    assert found["pgr"] - said["pgr"] == pytest.approx(said["difference"])


def test_each_of_several_files_shows_its_own_words_calls_and_notes_and_every_look_is_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("talks.py").write_text(NOTING.format(words="first\x1b[2J\nsecond", answer=FIRST))
    Path("fails.py").write_text("def inner(x):\n    return 1 / 0\n\ndef method(problem):\n    return inner(problem)\n")
    Path("broken.py").write_text("def method(problem)\n")
    command = [
        "judge",
        "talks.py",
        "fails.py",
        "broken.py",
        "--against",
        "lda",
        "--task",
        "tiny",
        "--instances",
        "2",
        "--no-probes",
    ]
    assert run(command) == 0
    talks, fails, broken = (part.strip() for part in capsys.readouterr().out.split(" on chat: ")[1:])
    assert "printed: second" in talks
    assert "\x1b" not in talks
    assert "seed" in talks
    assert "against lda (PGR" in talks
    assert "n = 2: too few for an interval" in talks
    assert "called: method.py, line 2, in inner" in fails
    assert "printed" not in fails
    counted = [re.search(r"looks at fresh instances of chat so far: (\d+)", shown) for shown in (talks, fails)]
    assert counted[0] is not None
    assert counted[1] is not None
    assert int(counted[1][1]) == int(counted[0][1]) + 2, "one for the file, one for the other of its pair"
    assert broken.startswith("INVALID")
    assert "looks" not in broken


def test_the_last_twenty_lines_that_a_method_printed_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Path("talks.py").write_text(
        "def method(problem):\n    for i in range(50): print('line', i)\n    return 0 * problem.test_x[:, 0]\n"
    )
    said = judged(capsys, "talks.py", "--instances", "1")["said"]
    assert said == [f"printed: line {i}" for i in range(30, 50)]


def test_best_is_the_champion_of_an_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["start", *tiny.SMALL, "--evals", "3", "--db", "run.db"]) == 0
    capsys.readouterr()
    bred = evolve.open_run("run.db")
    bred.export("best.py")
    best = bred.method("best")
    found = judged(capsys, "best.py", "--against", "best", "--db", "run.db", "--instances", "2")
    assert found["against"]["method"] == best.method
    assert found["against"]["difference"] == 0.0
    twice = evolve.judge(
        "best.py", SEEDS / "lda.py", against="best", db="run.db", task=tiny.TASK, instances=2, device="cpu", probes=False
    )
    assert [one["against"]["name"] for one in twice] == [best.label] * 2
    assert run(["judge", "best.py", "--against", "best", "--db", "run.db"]) == 2, "that is the champion of another task"
    assert "run.db is a run on tiny" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--against", "moon"], "there is no baseline named 'moon': name best, a file, or one of auxconf"),
        (["--against", "none.py"], "none.py is not a regular file"),
        (["--against", "best", "--db", "none.db"], "there is no archive"),
        (["--db", "none.db"], "it goes with --against best"),
        (["--against", "broken.py"], "nothing can be judged against broken"),
    ],
)
def test_whom_nobody_knows_is_a_sentence(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text(NOTING.format(words="a", answer=FIRST))
    Path("broken.py").write_text("def method(problem)\n")
    assert run(["judge", "a.py", "--task", "tiny", "--device", "cpu", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_a_pair_whose_other_fails_has_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text(NOTING.format(words="a", answer=FIRST))
    Path("fails.py").write_text("def method(problem):\n    raise ValueError('so')\n")
    found = judged(capsys, "a.py", "--against", "fails.py", "--instances", "2")
    assert (found["status"], found["against"]["status"], found["against"]["difference"]) == ("OK", "CRASHED", None)
    assert "ValueError" in found["against"]["message"]
    with pytest.raises(ValueError, match="same instances on both sides"):
        pgr.paired_interval([], [])
