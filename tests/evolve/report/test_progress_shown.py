"""Where the progress of a run is shown: a table that is drawn again in a notebook, plain lines where nobody looks."""

from __future__ import annotations

import builtins
import io
import json
import sys
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from evolve.observer import Snapshot
from evolve.report import heartbeat, progress
from evolve.report.heartbeat import Waiting, pause
from fitness.nouns import Interval

NOW = Snapshot(
    "breeding", 3, 10, Interval(0.5, 0.4, 0.6, 3), "abc", {"lda": 0.2}, 6.0, 70.0, (9, 9), 1.5, 0, None, 0.4, 1.0, 0.1
)


class Output:
    """A notebook's output, with all that was drawn in it."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def update(self, drawn: str) -> None:
        self.drawn.append(drawn)


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Output:
    class ZMQInteractiveShell:
        """What a kernel's shell is called."""

    made = Output()
    module: Any = SimpleNamespace(HTML=str, display=lambda first, display_id: made)
    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=module))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return made


def test_a_notebook_has_one_output_that_is_drawn_again(output: Output, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.choose() as shown:
        assert isinstance(shown, progress.LiveTable)
        shown.snapshot(NOW)
        shown.event("best", "new best abc")
        shown.snapshot(NOW)
    assert len(output.drawn) == 2, "not oftener than a few times a second, and at the end"
    assert "3 of 10" in output.drawn[0]
    assert "new best abc" in output.drawn[-1]
    assert capsys.readouterr().out == "new best abc\n"


def test_elsewhere_lines_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.choose() as shown:
        shown.event("note", "a note")
        shown.snapshot(NOW)
    assert capsys.readouterr().out.splitlines()[0] == "a note"
    assert isinstance(progress.choose(as_json=True), progress.Lines)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a display speak again after a moment."""
    monkeypatch.setattr(heartbeat, "QUIET", 0.02)
    monkeypatch.setattr(heartbeat, "BEAT", 0.01)


FINALE = replace(NOW, phase="judging finalists and baselines on fresh instances of chat", done=3, of=18, left=20.0)


def lines_of(capsys: pytest.CaptureFixture[str], least: int) -> list[str]:
    """Wait until this many lines are printed, and return them."""
    printed = ""
    for _ in range(500):
        captured = capsys.readouterr()
        printed += captured.out + captured.err
        if printed.count("\n") >= least:
            break
        time.sleep(0.01)
    return printed.splitlines()


def test_the_finale_says_its_phase_how_many_are_done_and_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.Plain() as shown:
        shown.snapshot(NOW)
        shown.snapshot(FINALE)
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("judging finalists and baselines on fresh instances of chat: 3 of 18, ")
    assert "about 20 s left" in line


def test_lines_go_on_while_nothing_else_happens(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.Plain() as shown:
        shown.event("phase", "opening the sandbox")
        assert lines_of(capsys, 2)[-1].startswith("opening the sandbox: ")
        shown.snapshot(FINALE)
        assert sum("3 of 18" in line for line in lines_of(capsys, 3)) >= 2


def test_json_lines_go_on_while_nothing_else_happens(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.Lines() as shown:
        shown.event("phase", "opening the sandbox")
        assert json.loads(lines_of(capsys, 2)[-1])["text"] == "opening the sandbox"
        shown.snapshot(FINALE)
        last = json.loads(lines_of(capsys, 3)[-1])["snapshot"]
    assert (last["phase"], last["done"], last["of"]) == (FINALE.phase, 3, 18)
    assert last["left"] < 20.0, "the time that is left runs down"


def test_a_verb_that_prints_nothing_itself_is_not_silent(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    with Waiting("judging x.py") as waiting:
        assert all(line.startswith("judging x.py: ") for line in lines_of(capsys, 2))
        waiting.at("judging x.py, 3 of 5")
        assert lines_of(capsys, 2)[-1].startswith("judging x.py, 3 of 5: ")
    with Waiting("judging x.py", quiet=True):
        time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_nothing_is_silent_for_five_seconds_in_a_short_run_and_for_a_minute_in_a_long_one() -> None:
    assert pause(1.0) + heartbeat.BEAT < 5.0
    assert pause(400.0) + heartbeat.BEAT < 5.0
    assert pause(1e6) == 60.0


@pytest.mark.parametrize(("share", "full"), [(0.0, 0), (0.25, 10), (1.0, 40), (1.7, 40), (-1.0, 0)])
def test_a_bar_is_read_without_colour(share: float, full: int) -> None:
    for plain in (False, True):
        shown = progress.bar(share, 40, plain=plain)
        assert len(shown) == 40
        assert shown.count("#" if plain else "█") == full
    assert progress.bar(share, 40, plain=True).isascii()


@pytest.mark.parametrize(
    ("encoding", "blocks"), [("utf-8", True), ("ascii", False), ("iso8859-15", False), ("cp437", True), (None, False)]
)
def test_a_screen_without_unicode_gets_a_bar_of_ascii(
    encoding: str | None, blocks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(encoding=encoding))
    assert progress.encodes_blocks() is blocks


@pytest.mark.parametrize(
    ("variables", "redrawn"), [({}, True), ({"TERM": "dumb"}, False), ({"CI": "true"}, False), ({"NO_COLOR": "1"}, True)]
)
def test_only_a_screen_that_can_be_drawn_again_has_a_table(
    variables: dict[str, str], redrawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ({"TERM": "xterm", "CI": "", "NO_COLOR": ""} | variables).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert isinstance(progress.choose(), progress.LiveTable if redrawn else progress.Plain)


@pytest.mark.parametrize("width", [30, 44, 60, 80, 120])
def test_the_live_table_cuts_no_number_and_its_bar_is_not_full_without_colour(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    monkeypatch.setenv("NO_COLOR", "1")
    paper = Console(file=io.StringIO(), width=width, no_color=True)
    drawn: list[Any] = []
    screen: Any = SimpleNamespace(console=paper, start=lambda: None, stop=lambda: None, update=drawn.append)
    table = progress.LiveTable(screen)
    table.event("seed", "lda: PGR +0.66 on 10 dev instances of the domain chat, and of others")
    table.snapshot(FINALE)
    paper.print(drawn[-1])
    shown = paper.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO of above
    assert "[0.40," in shown
    assert "0.60]" in shown
    assert max(map(len, shown.splitlines())) <= width
    bars = [line for line in shown.splitlines() if set(line.strip()) <= set("█░#-") and line.strip()]
    assert len(bars) == 1
    assert len(set(bars[0].strip())) == 2, "what is done and what is not look different"
