"""The house of DESIGN: which way imports run, what is loaded when, and that README and --help agree."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ALLOWED = {
    "evolve": {"evolve", "archives", "fitness"},
    "archives": {"archives", "fitness"},
    "fitness": {"fitness"},
    "seeds": set(),
}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_run_one_way(root: Path, package: str) -> None:
    for path in (root / package).rglob("*.py"):
        for module in imports(path):
            top = module.split(".")[0]
            assert top not in ALLOWED or top in ALLOWED[package], f"{path} imports {module}"
            if package == "archives" and top == "fitness":
                assert module.startswith("fitness.nouns"), f"{path} imports {module}"


def test_what_runs_inside_the_sandbox_imports_nothing_of_ours(root: Path) -> None:
    for name in ("runner.py", "zygote.py"):
        for module in imports(root / "fitness" / "sandbox" / name):
            assert module.split(".")[0] not in ALLOWED, f"{name} imports {module}"


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
