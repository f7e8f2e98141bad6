"""What the house looks like, in numbers: `python -m tests.bench.house` prints each line of its acceptance list.

The imports are read from the source, as tests/test_house.py does; times are those of fresh processes, the best of five.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.support import layout

ROOT = Path(__file__).parents[2]


def seconds(*command: str) -> float:
    """Return the best time of five of a fresh process."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, capture_output=True)
        best = min(best, time.perf_counter() - began)
    return best


def circles(arrows: dict[str, set[str]]) -> str:
    """Return the first circle of imports, or that there is none."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return " -> ".join(error.args[1])
    return "none"


def by_folder(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the arrows between the rooms of evolve."""
    package, found = "evolve.", dict[str, set[str]]()
    for name, modules in arrows.items():
        if name.startswith(package):
            rooms = {module.split(".")[1] for module in modules if module.startswith(package)}
            found.setdefault(name.split(".")[1], set()).update(rooms - {name.split(".")[1]})
    return found


def methods(path: Path, name: str) -> int:
    """Return how many methods a class has."""
    cls = next(node for node in layout.tree(path).body if isinstance(node, ast.ClassDef) and node.name == name)
    return sum(isinstance(node, ast.FunctionDef) for node in cls.body)


def main() -> None:
    """Measure and print."""
    arrows, (folders, modules) = layout.arrows(ROOT), layout.rooms(ROOT)
    rooms, paths = by_folder(arrows), layout.files(ROOT)
    sizes = sorted((layout.lines([path]), str(path.relative_to(ROOT))) for path in paths)
    lengths = sorted(layout.functions(ROOT))
    twice = {name: where for name, where in layout.public_classes(ROOT).items() if len(where) > 1}
    through = [place for path in layout.files(ROOT, "evolve/search") for place in layout.chains(path)]
    selector = methods(ROOT / "evolve" / "selection" / "selector.py", "Selector")
    for name, value in {
        "circles between files": circles(arrows),
        "circles between rooms of evolve": circles(rooms),
        "imports that climb": len(layout.climbing(ROOT)),
        "modules of evolve (10)": len(modules),
        "folders of evolve (at most 16)": len(folders),
        "arrows between its rooms": sum(map(len, rooms.values())),
        "longest file (300)": f"{sizes[-1][0]}, {sizes[-1][1]}",
        "longest function (60)": f"{lengths[-1][0]}, {lengths[-1][1]}",
        "median function": lengths[len(lengths) // 2][0],
        "methods of Selector (under 22)": selector,
        "public classes that bear one name": len(twice),
        "chains self.a.b.c in search/": len(through),
        "files, lines": f"{len(paths)}, {layout.lines(paths):,}",
        "lines of tests": f"{layout.lines(layout.files(ROOT, 'tests')):,}",
        "import evolve (under .05 s beside python)": f"{seconds('-c', 'import evolve') - seconds('-c', ''):.3f} s",
        "--help (under .3 s)": f"{seconds('-m', 'evolve', '--help'):.2f} s",
    }.items():
        print(f"{name:<44} {value}")


if __name__ == "__main__":
    main()
