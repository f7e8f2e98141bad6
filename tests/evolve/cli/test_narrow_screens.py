"""Tables on screens of every width: no number is ever cut, and no line is longer than the screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from evolve.cli import cli
from evolve.cli.show import ending
from evolve.cli.show.console import facts, fit, table
from evolve.cli.show.study import say_rediscoveries
from evolve.cli.show.verdict import print_verdict
from evolve.search.final_result import Contender, DomainLine, Result
from evolve.study.rediscovery import Rediscovery
from fitness.nouns import Interval
from tests.support.example_run import build

WIDTHS = (30, 38, 44, 52, 60, 72, 80, 100, 120, 160, 200)
CUT = re.compile(r"[-+$\[(]*\d*[.,]?\d*…")
WHOLE = 1000  # columns on which everything fits


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("runs") / "e.db", 60)


def numbers(text: str) -> set[str]:
    return {token.strip("[](),;:") for token in text.split() if any(letter.isdigit() for letter in token)}


def output(verb: str, run: Path, width: int) -> str:
    result = CliRunner().invoke(cli, [*verb.split(), "--db", str(run)], env={"COLUMNS": str(width)})
    assert result.exit_code == 0, result.output
    return result.output.replace(str(run), "")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "verb", ["top", "top --by cost", "top --by low", "status", "lineage", "failures", "costs", "find method"]
)
def test_no_verb_cuts_a_number_at_any_width(verb: str, width: int, run: Path) -> None:
    shown, whole = output(verb, run, width), output(verb, run, WHOLE)
    cut = {number for number in numbers(shown) - numbers(whole) if CUT.match(number) or "." in number}
    assert not cut, "every number stands in the wide table too"
    assert max(map(cell_len, shown.splitlines())) <= width


def test_a_narrow_top_says_which_columns_it_left_out(run: Path) -> None:
    shown = output("top", run, 44)
    assert re.search(r"left out on this narrow\s+screen:.*inflation", " ".join(shown.split()))
    assert "fresh PGR" in shown.splitlines()[0]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_final_table_cuts_no_interval(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    ends = [Interval(0.87, 0.77, 0.91, 20), Interval(-0.67, -0.81, 2.16, 2), Interval(0.02, -0.18, 0.22, 2)]
    lines = tuple(
        DomainLine(name, end.n, (end, end), end.n < 20) for name, end in zip(("chat", "code_deceptive", "digits"), ends)
    )
    contenders = (Contender("best", "ef2251c3", "a" * 64), Contender("human best", "vanilla_soft", "b" * 64))
    ending._table(Result(contenders, lines, 120, 0.78, 0.87, 0.23, 0.19, "shown: a beats b by PGR +0.23"))
    shown = capsys.readouterr().out
    for whole in ("0.87 [0.77, 0.91]", "-0.67 [-0.81, 2.16]", "0.02 [-0.18, 0.22]", "ef2251c3", "vanilla_soft"):
        assert " ".join(shown.split()).count(whole) >= 1, shown
    assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_judge_and_rediscovery_cut_no_number(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    row = {"instance": 1000, "pgr": -0.123, "transfer_acc": 0.912, "weak_acc": 0.654, "strong_acc": 0.987, "seconds": 12.34}
    row |= {"notes": {"top.eigenvalue": -1.5e-12}, "auc_pgr": -0.345}
    other = {"name": "lda", "pgr": -0.321, "difference": 0.198, "low": 0.111, "high": 0.222, "instances": [row, row]}
    verdict = {**row, "file": "x.py", "domain": "chat", "status": "OK", "message": "", "pgr_low": -0.2, "pgr_high": 0.1}
    verdict |= {"auc_pgr_low": -0.4, "auc_pgr_high": 0.1}
    print_verdict({**verdict, "probes": [], "said": [], "instances": [row, row], "looks": 7, "against": other})
    say_rediscoveries("lda", [Rediscovery("map-elites", 0, 0.9, 0.7, "a" * 64, 0.123, 0.456, 0.812)])
    shown = capsys.readouterr().out
    assert all(
        number in shown
        for number in ("-0.123", "-0.345", "+0.198", "-0.321", "-1.5e-12", "0.654" if width > 40 else "0.912", "0.812", "0.123")
    )
    assert max(map(len, shown.splitlines())) <= width


def test_shortened_words_end_before_a_number_not_in_it() -> None:
    assert fit("flagged: PGR 0.58, and 0.29 turned", 24) == "flagged: PGR 0.58, and…"
    assert fit("flagged: PGR 0.58, and", 16) == "flagged: PGR…"
    assert fit("aab64eab0123456", 9) == "aab64eab…", "a name of its own may be shortened"


def test_a_table_without_room_prints_each_row_as_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    table(["name", "one", "two"], [["a", "0.1234567890", "0.9876543210"]], words=(0,))
    assert capsys.readouterr().out.split() == ["a", "one", "0.1234567890", "two", "0.9876543210"]
    facts([("a long name of a fact", "1,234,567 of 7,654,321")])
    assert capsys.readouterr().out == "a long name of a fact\n  1,234,567 of 7,654,321\n"
