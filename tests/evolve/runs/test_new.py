"""Files that `new` and `task new` write: they answer as they are, and hide no module from what is run beside them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from evolve.errors import UsageError
from evolve.runs.new import new
from evolve.runs.seeds import collect
from evolve.runs.task_file import write
from fitness import tasks
from fitness.contracts import wording
from fitness.contracts.contract import Answer, Array, Contract


@pytest.mark.parametrize("name", ["random", "json", "numpy", "torch", "evolve", "fitness", "tests", "pytest"])
def test_a_name_that_would_hide_a_module_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    idea = partial(new, Path(f"{name}.py"), tasks.load("embedded"))
    for refused in (partial(write, name), partial(write, name, tmp_path / "deeper"), idea):
        with pytest.raises(UsageError, match=f"{name}.py would hide the module {name}"):
            refused()
    assert not list(tmp_path.iterdir())


def test_a_name_of_ones_own_is_taken_however_often_others_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert write("certify")[0] == Path("certify.py")
    assert new(Path("my_idea.py"), tasks.load("embedded")).exists()
    with pytest.raises(UsageError, match="is there already"):
        write("certify")


@pytest.mark.parametrize(
    ("dims", "size"),
    [("", "()"), ("n", "(len(problem.x),)"), ("n 3", "(len(problem.x), 3)"), ("d", "(problem.x.shape[1],)")],
)
def test_the_stub_answers_in_the_declared_shape(dims: str, size: str) -> None:
    text = wording.stub(Contract((Array("o", "n d", optional=True), Array("x", "n d")), Answer(dims)))
    assert f"torch.full({size}, START" in text
    compile(text, "stub.py", "exec")


def test_the_size_of_a_dimension_that_only_optional_arrays_have_is_taken_from_one() -> None:
    text = wording.stub(Contract((Array("o", "n d", optional=True),), Answer("n")))
    assert "torch.full((len(problem.o),), START" in text


def test_a_search_without_a_baseline_says_where_one_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no method in .*: put one there, a Python file, as a baseline"):
        collect(folders=[tmp_path], needed=True)
    assert collect(folders=[tmp_path]) == []
