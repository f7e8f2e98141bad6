"""The scripts of docs/python.md, twenty lines each, run outside the checkout as they stand, but on a smaller task."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

SMALL = "task=tiny.TASK, device='cpu', dev_instances=3, fresh_instances=3, held_out_instances=3, finalists=1, observer=None"


def scripts(root: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (root / "docs" / "python.md").read_text(), re.DOTALL)


def ran(root: Path, script: str, folder: Path) -> str:
    (folder / "script.py").write_text(f"from tests.support import tiny\n{script}")
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "script.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_search_and_then_its_best_method_by_the_scripts_of_the_page(root: Path, tmp_path: Path) -> None:
    search, judging = scripts(root)
    for script in (search, judging):
        assert len([line for line in script.splitlines() if line.strip()]) <= 20
        assert "__main__" not in script
    said = ran(root, search.replace("evals=120", f"evals=4, {SMALL}"), tmp_path)
    assert re.search(r"^chat +best -?\d\.\d\d   human best -?\d\.\d\d$", said, re.MULTILINE)
    assert "against the human best" in said or "beats the human best" in said
    assert "4 evaluations in" in said
    database, report = (re.search(rf"^{name} +(\S+)$", said, re.MULTILINE) for name in ("database", "report"))
    assert database
    assert (tmp_path / database[1]).exists()
    assert report
    assert (tmp_path / report[1]).read_text().startswith("<!doctype html>")
    assert "def method(" in (tmp_path / "best.py").read_text()
    again = ran(root, judging.replace("domain=", "task=tiny.TASK, device='cpu', domain="), tmp_path)
    assert re.search(r"^PGR -?\d\.\d\d \[", again, re.MULTILINE)
    assert re.search(r"^flags: .*  looks at these instances: 1$", again, re.MULTILINE)
