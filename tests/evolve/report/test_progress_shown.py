"""Where the progress of a run is shown: a table that is drawn again in a notebook, plain lines where nobody looks."""

from __future__ import annotations

import builtins
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from evolve.observer import Snapshot
from evolve.report import progress
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
