"""What is published about strategies is what the kept studies say."""

from __future__ import annotations

import re

import pytest

from tests.bench import results

NUMBER = re.compile(r"-?\d+\.\d+")


@pytest.mark.parametrize("document", results.DOCUMENTS, ids=lambda path: path.name)
def test_every_table_is_the_one_that_the_kept_studies_give(document: results.Path) -> None:
    text = document.read_text("utf-8")
    assert results.BLOCK.search(text)
    assert results.written(text) == text


def test_the_short_table_has_the_numbers_of_the_study() -> None:
    study = results.known()["all-300"]
    block = next(b for b in results.BLOCK.finditer((results.ROOT / "README.md").read_text("utf-8")) if b[3] == "short")
    rows = {line.split("|")[1].strip(): NUMBER.findall(line) for line in block[0].splitlines() if "|" in line}
    for one in study["strategies"]:
        assert rows[one["strategy"]] == [f"{one[name]:.2f}" for name in ("fresh_pgr", "fresh_low", "fresh_high")]
        answers = [sum(search["fresh"]) / 20 for search in study["searches"] if search["strategy"] == one["strategy"]]
        assert sum(answers) / len(answers) == pytest.approx(one["fresh_pgr"])


def test_a_changed_number_is_seen() -> None:
    text = (results.ROOT / "README.md").read_text("utf-8")
    block = next(b for b in results.BLOCK.finditer(text) if b[3] == "short")
    number = NUMBER.findall(block[0])[0]
    assert results.written(text.replace(block[0], block[0].replace(number, "9.99"))) == text


def test_what_is_kept_can_be_made_again() -> None:
    commands = results.STUDIES | results.HOLD_OUTS
    for name, study in results.known().items():
        said = dict(zip(commands[name][::2], commands[name][1::2]))
        assert study["repeats"] == int(said["--repeats"])
        assert study["trials"] == int(said["--evals"]) * 10
        assert len(study["searches"]) == study["repeats"] * len(study["strategies"])
