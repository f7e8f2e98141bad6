"""What the source tree looks like: rooms, imports, sizes. tests/test_house.py holds it, tests/bench/house.py prints it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGES = ("evolve", "archives", "fitness", "seeds")
FLOORS = (
    "cli",
    "api testing agents review study",
    "trackers",
    "runs report",
    "queries",
    "search grids",
    "selection operators",
    "screening prompting models",
    "islands executors budget config nouns",
)  # of evolve, from the top: no room imports from a floor above, nor from another room of its own floor
EVERYWHERE = {"observer", "text", "files", "errors"}  # rooms that any other may use
HEIGHT = {room: -floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}


def files(root: Path, *packages: str) -> list[Path]:
    """Return the Python files of packages (default: all of ours)."""
    return [path for package in packages or PACKAGES for path in sorted((root / package).rglob("*.py"))]


def tree(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text())


def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports, also inside functions and for annotations only."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(root: Path, package: str) -> Iterator[tuple[Path, str]]:
    """Yield every import of our own code in a package: the file, and the dotted name that it imports."""
    for path in files(root, package):
        for module in sorted(imports(path)):
            if module.split(".")[0] in PACKAGES:
                yield path, module


def room(path: Path, package: Path) -> str:
    """Return the folder or module of a package that a file belongs to."""
    return path.relative_to(package).parts[0].removesuffix(".py")


def rooms(root: Path) -> tuple[set[str], set[str]]:
    """Return the folders and the modules of evolve."""
    package = root / "evolve"
    names = {room(path, package) for path in files(root, "evolve")} - {"__init__", "__main__"}
    folders = {name for name in names if (package / name).is_dir()}
    return folders, names - folders


def climbing(root: Path) -> list[str]:
    """Return the imports of evolve that climb to a floor above, or cross to another room of their own."""
    package, found = root / "evolve", []
    for path, module in ours(root, "evolve"):
        here, there = room(path, package), [*module.split("."), ""][1]
        if here in ("__init__", "__main__") or module.split(".")[0] != "evolve" or there in (here, "", "__version__"):
            continue
        low = here not in EVERYWHERE and HEIGHT.get(there, 1) < HEIGHT[here]  # a public name of evolve/__init__ has no floor
        if there not in EVERYWHERE and not low:
            found.append(f"{path.relative_to(root)} imports {module}")
    return found


def arrows(root: Path) -> dict[str, set[str]]:
    """Return what every file of ours imports of ours, by dotted name; a package whose module is imported does not count."""
    known = {}
    for path in files(root):
        known[".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")] = path
    found = {name: {module for module in imports(path) if module in known and module != name} for name, path in known.items()}
    for modules in found.values():
        modules -= {package for package in modules if any(other.startswith(f"{package}.") for other in modules)}
    return found


def public_classes(root: Path) -> Mapping[str, list[str]]:
    """Return the files in which each public class of ours is defined."""
    found = defaultdict(list)
    for path in files(root):
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(root)))
    return found


def functions(root: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of every function of ours, and where it stands."""
    for path in files(root):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno is not None
                yield node.end_lineno - node.lineno + 1, f"{path.relative_to(root)}:{node.lineno} {node.name}"


def chains(path: Path, links: int = 3) -> list[str]:
    """Return the places where a file reaches through: self.a.b.c, attributes of attributes of its own."""
    found = []
    for node in ast.walk(tree(path)):
        names, inner = [], node
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id == "self" and len(names) >= links:
            found.append(f"{path.name}:{node.lineno} self.{'.'.join(reversed(names))}")
    return found


def lines(paths: list[Path]) -> int:
    """Return how many lines files have."""
    return sum(len(path.read_text().splitlines()) for path in paths)
