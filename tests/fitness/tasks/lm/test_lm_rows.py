"""AAR's folders: both row formats, jsonl and json, what is refused and with which sentence, and what the report says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitness.registry import UsageError
from fitness.tasks.lm.checks import check
from fitness.tasks.lm.rows import COMPARISON, SINGLE, Domain, Rows, digests, domains_of, load, read

Row = dict[str, Any]


def comparisons(n: int, start: int = 0) -> list[Row]:
    return [{"prompt": f"q{i}", "first": "yes", "second": "no", "label": "AB"[i % 2]} for i in range(start, start + n)]


def singles(n: int, start: int = 0) -> list[Row]:
    return [{"question": f"q{i}", "choice": f"c{i}", "label": i % 2 == 1} for i in range(start, start + n)]


def written(path: Path, rows: Sequence[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(map(json.dumps, rows)) if path.suffix == ".jsonl" else json.dumps(rows))
    return path


def domain(tmp_path: Path, labelled: list[Row], train: list[Row], test: list[Row]) -> Path:
    for stem, rows in (("train_label", labelled), ("train_unlabel", train), ("test", test)):
        written(tmp_path / "data" / "chat" / f"{stem}.jsonl", rows)
    return tmp_path / "data" / "chat"


@pytest.mark.parametrize(
    ("rows", "form", "prompt"),
    [
        (comparisons(4), COMPARISON, "Question: q0\nAnswer A: yes\nAnswer B: no\n"),
        (singles(4), SINGLE, "Question: q0\nAnswer: c0\n"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_both_formats_are_read_from_both_kinds_of_file(
    tmp_path: Path, rows: list[Row], form: object, prompt: str, kind: str
) -> None:
    found = read(written(tmp_path / f"test.{kind}", rows))
    assert found.format is form
    assert found.prompts[0] == prompt
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("label", [None, -1])
def test_labels_may_be_withheld_of_a_whole_file(tmp_path: Path, label: object) -> None:
    assert read(written(tmp_path / "a.jsonl", [{**row, "label": label} for row in singles(3)])).labels is None
    rows = [{key: value for key, value in row.items() if key != "label"} for row in singles(3)]
    assert read(written(tmp_path / "b.jsonl", rows)).labels is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no rows"),
        ('{"question": "q", "choice": "c", "label": tru', "line 1 of .* is no JSON"),
        ("[1]", "line 1 of .* holds list"),
        ('{"text": "q"}', "line 1 of .* has text: a row has prompt, first, second or question, choice, and label"),
        ('{"question": "q", "choice": 3}', "line 1 of .* has no text choice"),
        ('{"question": "q", "choice": "c"}\n{"prompt": "q"}', "line 2 of .* has no text question"),
        ('{"question": "q", "choice": "c", "label": "A"}', 'line 1 of .* has the label "A": write false or true'),
        ('{"question": "q", "choice": "c", "label": 1}', "line 1 of .* has the label 1: write false or true"),
        ('{"prompt": "q", "first": "a", "second": "b", "label": "C"}', 'has the label "C": write "A" or "B"'),
        (
            '{"question": "q", "choice": "c", "label": true}\n\n{"question": "q", "choice": "c"}',
            "line 3 of .* has no label, and others have one",
        ),
    ],
)
def test_what_is_no_row_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "test.jsonl").write_text(text)
    with pytest.raises(UsageError, match=said):
        read(tmp_path / "test.jsonl")


@pytest.mark.parametrize(("text", "said"), [("[1", "is no JSON"), ("{}", "no list of rows"), ("[1]", "no list of rows")])
def test_what_is_no_list_of_rows_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "test.json").write_text(text)
    with pytest.raises(UsageError, match=said):
        read(tmp_path / "test.json")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        read(tmp_path / "test.jsonl")


def test_a_domain_needs_its_files_in_one_format_and_labels_where_they_are_needed(tmp_path: Path) -> None:
    folder = domain(tmp_path, singles(3), singles(3, 10), singles(3, 20))
    written(folder / "test.json", singles(3))
    with pytest.raises(UsageError, match=r"has both test\.jsonl and test\.json: leave one"):
        load(folder)
    (folder / "test.json").unlink()
    written(folder / "test.jsonl", comparisons(3))
    with pytest.raises(UsageError, match=r"test\.jsonl of prompt, first, second: take one format"):
        load(folder)
    written(folder / "test.jsonl", [{**row, "label": -1} for row in singles(3)])
    with pytest.raises(UsageError, match=r"test\.jsonl has no labels"):
        load(folder)
    (folder / "test.jsonl").unlink()
    with pytest.raises(UsageError, match=r"has no test\.jsonl or test\.json"):
        load(folder)


def test_domains_are_the_folders_but_for_results_and_every_file_has_a_digest(tmp_path: Path) -> None:
    folder = domain(tmp_path, singles(3), singles(3, 10), singles(3, 20)).parent
    result = written(folder / "cache_results" / "chat_vanilla" / "key" / "seed_1.json", [1])
    assert domains_of(folder) == ("chat",)
    assert sorted(digests(folder)) == [
        "cache_results/chat_vanilla/key/seed_1.json",
        "chat/test.jsonl",
        "chat/train_label.jsonl",
        "chat/train_unlabel.jsonl",
    ]
    before = digests(folder)
    result.write_text("[2]")
    assert digests(folder) != before
    with pytest.raises(UsageError, match="there is no folder"):
        domains_of(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"put train_label\.jsonl, train_unlabel\.jsonl and test\.jsonl into"):
        domains_of(tmp_path / "empty")


def failing(found: Domain, taught: bool = False, longest: int = 100) -> dict[str, str]:
    return {name: sentence for name, sentence, passed in check(found, taught, longest) if not passed}


def rows(n: int, start: int = 0, label: object = None) -> Rows:
    labels = np.arange(n) % 2 if label is None else np.full(n, label)
    return Rows(SINGLE, tuple((f"q{i}", "c") for i in range(start, start + n)), labels.astype(np.uint8))


SOUND = Domain(rows(40), rows(200, 100), rows(200, 500))


def test_a_sound_domain_passes_every_check() -> None:
    assert not failing(SOUND)
    assert [name for name, _, _ in check(SOUND, False, 100)] == [
        "rows", "teacher", "classes", "texts", "shared prompts", "lengths",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "name", "said"),
    [
        (Domain(rows(40), rows(200, 100), rows(30, 500)), "rows", "too few rows in test, at least 100 are needed"),
        (Domain(None, SOUND.train, SOUND.test), "teacher", "neither train_label.jsonl"),
        (Domain(SOUND.labelled, SOUND.train, rows(200, 500, 1)), "classes", "0 rows of test have the label False"),
        (Domain(rows(40, 0, 0), SOUND.train, SOUND.test), "classes", "0 rows of train_label have the label True"),
        (Domain(SOUND.labelled, SOUND.train, rows(200, 297)), "shared prompts", "3 of 200 test rows ask what"),
        (
            Domain(SOUND.labelled, Rows(SINGLE, (*SOUND.train.texts, ("q", " ")), None), SOUND.test),
            "texts",
            "1 texts of train_unlabel are empty, first choice of row 201",
        ),
    ],
)
def test_what_is_wrong_with_a_domain_is_a_sentence(found: Domain, name: str, said: str) -> None:
    assert list(failing(found)) == [name]
    assert said in failing(found)[name]


def test_shared_prompts_fail_above_one_in_a_hundred() -> None:
    assert not failing(Domain(SOUND.labelled, SOUND.train, rows(200, 298)))
    assert list(failing(Domain(SOUND.labelled, SOUND.train, rows(200, 297)))) == ["shared prompts"]


def test_long_prompts_fail_by_tokens_and_by_letters_without_a_tokenizer() -> None:
    assert list(failing(SOUND, longest=5)) == ["lengths"]
    (name, sentence, passed) = list(check(SOUND, False, 5, lambda prompts: [4] * len(prompts)))[-1]
    assert (name, passed) == ("lengths", True)
    assert "0 of 440 prompts are longer than 5 tokens; the longest has 4" in sentence


def test_a_teacher_elsewhere_needs_no_labels() -> None:
    assert not failing(Domain(None, SOUND.train, SOUND.test), taught=True)
