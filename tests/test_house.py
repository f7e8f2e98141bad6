"""The house of DESIGN: which way imports run, what is loaded when, and that README and --help agree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support import layout


def test_every_room_of_evolve_has_a_floor_and_there_are_few(root: Path) -> None:
    folders, modules = layout.rooms(root)
    assert folders | modules <= layout.HEIGHT.keys() | layout.EVERYWHERE
    assert len(folders) <= 16
    assert len(modules) <= 10


def test_imports_of_evolve_never_climb(root: Path) -> None:
    assert not layout.climbing(root)


def test_archives_know_the_nouns_of_fitness_only_and_fitness_nothing_of_ours(root: Path) -> None:
    for path, module in layout.ours(root, "archives"):
        assert module.startswith(("archives", "fitness.nouns")) or module == "fitness", f"{path} imports {module}"
    for path, module in layout.ours(root, "fitness"):
        assert module.startswith("fitness"), f"{path} imports {module}"
    assert not list(layout.ours(root, "seeds"))


def test_what_runs_inside_the_sandbox_imports_nothing_of_ours(root: Path) -> None:
    inside = root / "fitness" / "sandbox" / "inside"
    names = {path.stem for path in inside.glob("*.py")}
    for path in inside.glob("*.py"):
        for node in ast.walk(layout.tree(path)):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level == 1, path
                assert {node.module or alias.name for alias in node.names} <= names, path
        for module in layout.imports(path):
            assert module.split(".")[0] not in layout.PACKAGES, f"{path} imports {module}"


def test_no_two_files_import_each_other_in_a_circle(root: Path) -> None:
    """Imports inside functions count too: they are there for speed, never to hide a circle."""
    TopologicalSorter(layout.arrows(root)).prepare()  # raises CycleError, naming the files


NOUNS = re.compile(
    r"\b(weak|teachers?|students?|strong (ceiling|student|model)|train_x|test_x|n_classes|weak.to.strong)\b", re.I
)
OTHERS = ("Student's t", "What teachers should know", '"n_classes"})')  # a distribution, a title, a keyword of libraries


def test_the_engine_speaks_of_no_task(root: Path) -> None:
    """Its nouns are the task's: only the columns of trials keep the names that they had (archives/archive.py)."""
    said = []
    for path in sorted(p for kind in ("py", "md", "css", "js", "html") for p in (root / "evolve").rglob(f"*.{kind}")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if NOUNS.search(line) and not any(other in line for other in OTHERS):
                said.append(f"{path.relative_to(root)}:{number}: {line.strip()}")
    assert not said


def test_files_and_functions_are_short(root: Path) -> None:
    assert not [path for path in layout.files(root) if layout.lines([path]) > 300]
    assert not [where for length, where in layout.functions(root) if length > 60]


def test_no_two_public_classes_bear_one_name(root: Path) -> None:
    assert not {name: where for name, where in layout.public_classes(root).items() if len(where) > 1}


def folders_of(root: Path) -> list[Path]:
    return [path.parent for package in ("evolve", "fitness", "archives") for path in (root / package).rglob("__init__.py")]


def test_each_folder_lists_its_files_in_its_docstring(root: Path) -> None:
    for folder in folders_of(root):
        text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
        listed = re.findall(r"^- (\w+/?): \S", text, re.MULTILINE)
        modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
        inner = {f"{path.name}/" for path in folder.iterdir() if any(path.glob("*.*"))} - {"__pycache__/"}
        assert sorted(listed) == sorted(modules | inner), folder
        assert not text.startswith("- "), f"{folder}: a paragraph comes before the list"


def reach(node: ast.Attribute) -> str:
    """The names after self in `self.a.b.c`; "" for any other."""
    name = ast.unparse(node)
    return name.removeprefix("self.") if name.startswith("self.") and name.replace(".", "").isidentifier() else ""


def test_no_object_of_search_reaches_through_another(root: Path) -> None:
    """Parts are built once and handed to who needs them, so `self.a.b.c` says that one of them was not."""
    far = []
    for path in sorted((root / "evolve" / "search").glob("*.py")):
        chains = [reach(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)]
        assert any(chains) or "self." not in path.read_text(), path
        far += [f"{path.name}: self.{chain}" for chain in chains if chain.count(".") > 1]
    assert not far


@pytest.mark.parametrize(
    "verb", ["--help", "start --help", "resume --help", "judge --help", "top --help", "report --help", "ui --help"]
)
def test_help_loads_nothing_heavy(root: Path, verb: str) -> None:
    code = (
        "import sys; from evolve.cli import run; run(sys.argv[1:]); "
        "heavy = {'torch', 'optuna', 'httpx2', 'libcst', 'sklearn', 'scipy', 'pydantic', 'starlette', 'matplotlib'}; "
        "heavy &= set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *verb.split()], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage: python -m evolve" in done.stdout


def test_every_verb_has_a_working_help(root: Path) -> None:
    from evolve.cli import VERBS

    for verb in VERBS:
        done = subprocess.run([sys.executable, "-m", "evolve", verb, "--help"], cwd=root, capture_output=True, text=True)
        assert done.returncode == 0, f"{verb}: {done.stderr}"


def test_readme_names_every_verb_and_no_other(root: Path) -> None:
    from evolve.cli import VERBS

    text = (root / "README.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("| `")]
    named = {line.split("`")[1].split()[0] for line in table}
    assert named == set(VERBS)


def test_an_unknown_verb_suggests_the_nearest(root: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "evolve", "strat"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 2
    assert "start" in done.stderr


def test_a_stray_package_is_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "fitness").mkdir()
    (tmp_path / "fitness" / "__init__.py").write_text("")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); import evolve.__main__ as m; m.main()"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), "--help"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr
    assert str(root) in done.stderr
