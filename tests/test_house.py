"""The house of DESIGN: which way imports run, what is loaded when, and that README and --help agree."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGES = ("evolve", "archives", "fitness", "seeds")
FLOORS = (
    "cli",
    "api testing agents review study trackers",
    "runs report",
    "queries",
    "search grids",
    "selection operators",
    "screening prompting models",
    "islands executors budget config nouns",
)  # of evolve: no room imports from a floor above, nor from another room of its own floor
EVERYWHERE = {"observer", "text", "files", "errors"}  # rooms that any other may use
HEIGHT = {room: -floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(root: Path, package: str) -> Iterator[tuple[Path, str]]:
    """Every import of our own code in a package: the file, and the dotted name that it imports."""
    for path in sorted((root / package).rglob("*.py")):
        for module in sorted(imports(path)):
            if module.split(".")[0] in PACKAGES:
                yield path, module


def room(path: Path, package: Path) -> str:
    return path.relative_to(package).parts[0].removesuffix(".py")


def test_every_room_of_evolve_has_a_floor(root: Path) -> None:
    package = root / "evolve"
    rooms = {room(path, package) for path in package.rglob("*.py")} - {"__init__", "__main__"}
    assert rooms <= HEIGHT.keys() | EVERYWHERE
    folders = {name for name in rooms if (package / name).is_dir()}
    assert len(folders) <= 16
    assert len(rooms - folders) <= 10


def test_imports_of_evolve_never_climb(root: Path) -> None:
    package, climbing = root / "evolve", []
    for path, module in ours(root, "evolve"):
        here, there = room(path, package), [*module.split("."), ""][1]
        if here in ("__init__", "__main__") or module.split(".")[0] != "evolve" or there in (here, "", "__version__"):
            continue
        allowed = there in EVERYWHERE or (here not in EVERYWHERE and HEIGHT[there] < HEIGHT[here])
        climbing += [] if allowed else [f"{path.relative_to(root)} imports {module}"]
    assert not climbing


def test_archives_know_the_nouns_of_fitness_only_and_fitness_nothing_of_ours(root: Path) -> None:
    for path, module in ours(root, "archives"):
        assert module.startswith(("archives", "fitness.nouns")) or module == "fitness", f"{path} imports {module}"
    for path, module in ours(root, "fitness"):
        assert module.startswith("fitness"), f"{path} imports {module}"
    assert not list(ours(root, "seeds"))


def test_what_runs_inside_the_sandbox_imports_nothing_of_ours(root: Path) -> None:
    inside = root / "fitness" / "sandbox" / "inside"
    names = {path.stem for path in inside.glob("*.py")}
    for path in inside.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level == 1, path
                assert {node.module or alias.name for alias in node.names} <= names, path
        for module in imports(path) - names:
            assert module.split(".")[0] not in PACKAGES, f"{path} imports {module}"


def test_no_two_files_import_each_other_in_a_circle(root: Path) -> None:
    """Imports inside functions count too: they are there for speed, never to hide a circle."""
    known = {}
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            known[name] = path
    arrows = {name: {found for found in imports(path) if found in known and found != name} for name, path in known.items()}
    for found in arrows.values():  # a package's own table is no arrow to what it is asked for by name
        found -= {package for package in found if any(other.startswith(f"{package}.") for other in found)}
    order = TopologicalSorter(arrows)
    order.prepare()  # raises CycleError, naming the files


@pytest.mark.parametrize(
    "verb", ["--help", "start --help", "resume --help", "judge --help", "top --help", "report --help", "ui --help"]
)
def test_help_loads_nothing_heavy(root: Path, verb: str) -> None:
    code = (
        "import sys; from evolve.cli import run; run(sys.argv[1:]); "
        "heavy = {'torch', 'optuna', 'openai', 'libcst', 'sklearn', 'scipy', 'pydantic', 'starlette', 'matplotlib'}; "
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
