"""One look-up: names of a table, attributes of modules, and files; what is wrong with a user's file is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from fitness.nouns import EvolveError
from fitness.registry import UsageError, digest, file_of, find, is_reference, load, reference_of

TABLE = {"join": "os.path:join"}
UNKNOWN = "there is no such thing"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(text)
    return path


def test_names_of_the_table_modules_and_files_are_found(tmp_path: Path) -> None:
    path = written(tmp_path, "class Mine:\n    size = 3\nTASK = Mine()\n")
    assert find("join", TABLE, UNKNOWN)("a", "b") == "a/b"
    assert find("os.path:split", TABLE, UNKNOWN)("a/b") == ("a", "b")
    assert find(f"{path}:Mine", TABLE, UNKNOWN, ("size",)).size == 3
    assert load(f"{path}:Mine.size") == 3
    assert load(str(path), "TASK").size == 3
    with pytest.raises(UsageError, match=UNKNOWN):
        find("nothing", TABLE, UNKNOWN)
    assert issubclass(UsageError, EvolveError)
    assert UsageError.exit_code == 2


def test_a_file_is_imported_once_until_its_text_changes(tmp_path: Path) -> None:
    path = written(tmp_path, "THING = []\n")
    assert load(f"{path}:THING") is load(f"{path}:THING")
    first, before = load(f"{path}:THING"), digest(path)
    written(tmp_path, "THING = [1]\n")
    assert load(f"{path}:THING") == [1] != first
    assert digest(path) != before
    assert not list(tmp_path.glob("__pycache__"))


def test_a_dataclass_with_postponed_annotations_can_be_defined_in_a_file(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n\n@dataclass\nclass Mine:\n    n: int = 2\n"
    assert load(f"{written(tmp_path, text)}:Mine")().n == 2


@pytest.mark.parametrize(
    ("text", "attribute", "said"),
    [
        (None, "TASK", "cannot read .*mine.py: No such file or directory"),
        ("x = (\n", "TASK", r"mine.py, line 1, cannot be imported: SyntaxError: '\(' was never closed"),
        ("a = 1\nraise ValueError('no\\nluck')\n", "TASK", "mine.py, line 2, cannot be imported: ValueError: no luck$"),
        ("import nowhere_to_be_found\n", "TASK", "mine.py, line 1, .*No module named 'nowhere_to_be_found'"),
        ("import sys\n\nsys.exit(3)\n", "TASK", "mine.py, line 3, cannot be imported: SystemExit: 3"),
        ("def f(): return f()\nf()\n", "TASK", "mine.py, line 1, cannot be imported: RecursionError"),
        ("\0", "TASK", "mine.py.* cannot be imported: .*null bytes"),
        ("a = 1\n", "TASK", "mine.py defines no TASK: define it there"),
        ("a = 1\n", "", "mine.py is a whole file: write what is wanted of it as .*mine.py:NAME"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence(tmp_path: Path, text: str | None, attribute: str, said: str) -> None:
    if text is not None:
        written(tmp_path, text)
    with pytest.raises(UsageError, match=said) as found:
        load(str(tmp_path / "mine.py"), *filter(None, [attribute]))
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("beside", ["helper_of_mine.py", "helper_of_mine"])
def test_a_file_that_imports_another_beside_it_is_told_to_be_one_file(tmp_path: Path, beside: str) -> None:
    (tmp_path / beside).touch() if beside.endswith(".py") else (tmp_path / beside).mkdir()
    path = written(tmp_path, "import helper_of_mine.deeper\n")
    with pytest.raises(UsageError, match="helper_of_mine lies beside it, and what is named stands in one file"):
        load(f"{path}:TASK")


def test_what_lacks_what_is_needed_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "class Mine:\n    name = 'mine'\n")
    with pytest.raises(UsageError, match=r"mine.py:Mine cannot be used here: it has no propose, and needs name, propose"):
        find(f"{path}:Mine", {}, UNKNOWN, ("name", "propose"))
    with pytest.raises(UsageError, match=r"the module nowhere.at.all cannot be imported: ModuleNotFoundError"):
        find("nowhere.at.all:Mine", {}, UNKNOWN)
    with pytest.raises(UsageError, match=r"os.path defines no such_thing"):
        find("os.path:such_thing", {}, UNKNOWN)
    with pytest.raises(UsageError, match="the module sys lies in no file"):
        file_of("sys:path")


def test_a_class_is_found_again_by_its_reference(tmp_path: Path) -> None:
    path = written(tmp_path, "class Mine:\n    class Inner: pass\n")
    inner = load(f"{path}:Mine.Inner")
    assert reference_of(inner) == f"{path}:Mine.Inner"
    assert load(reference_of(inner)) is inner
    assert reference_of(Path) == f"{Path.__module__}:Path"


@pytest.mark.parametrize("text", ["embedded", "task.txt", "a b:c", "openai", "x.py:", ":TASK"])
def test_other_words_are_no_references(text: str) -> None:
    assert not is_reference(text)
