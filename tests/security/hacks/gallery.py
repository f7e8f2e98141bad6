"""The gallery of cheats, read as text: each file says what it does, where it was seen, and what catches it.

A cheat that is another one with other constants is a JSON file: whom it is `like`, what it has `remembered` instead, and who
catches it.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat

from evolve.runs.resources import JudgeResources
from evolve.screening.screen import Screen
from fitness.contracts.probabilities import PROBABILITIES
from fitness.nouns import Method, Trial, Verdict

FOLDER = Path(__file__).parent / "methods"
PROBES = list(PROBABILITIES.probes)
EARLIER = ["screen", "sandbox"]  # what stops a cheat before there is anything to examine
GAINS = "gains"  # the secret gains of an instance: what was remembered of others is worth nothing there
NOBODY = "nobody"  # known to get through
CATCHERS = [*PROBES, *EARLIER, GAINS, NOBODY]


@dataclass(frozen=True)
class Cheat:
    """A method that must not get into the grid.

    Attributes:
        name: its file's.
        source: the file's text.
        about: its docstring, in paragraphs: what it does, where it was seen, what catches it.
        catcher: a probe, "screen" (the text is refused), "sandbox" (a run of it brings no predictions), "gains" (it scores no
            better than a human baseline), or "nobody".
    """

    name: str
    source: str
    about: list[str]
    catcher: str


def read(path: Path) -> Cheat:
    """Read a cheat; raises ValueError when its docstring does not end as it should."""
    source = path.read_text()
    if path.suffix == ".json":
        other = json.loads(source)
        source = re.sub(r"Caught by: \w+", f"Caught by: {other['caught by']}", remembering(other["like"], other["remembered"]))
    about = (ast.get_docstring(ast.parse(source)) or "").split("\n\n")
    catcher = re.fullmatch(r"Caught by: (\w+)\.", about[-1])
    if catcher is None or catcher[1] not in CATCHERS:
        raise ValueError(f"{path} ends with {about[-1]!r}, expected 'Caught by: ' and one of {', '.join(CATCHERS)}")
    return Cheat(path.stem, source, about, catcher[1])


def remembering(name: str, constants: object) -> str:
    """Return a cheat of the gallery with other constants in the place of those that it remembers, which stand last."""
    text = (FOLDER / f"{name}.py").read_text()
    line = f"REMEMBERED = {pformat(constants, width=112, compact=True)}  # fmt: skip\n"
    return re.sub(r"^REMEMBERED = .*\Z", line, text, flags=re.M | re.S)


CHEATS = [read(path) for path in sorted([*FOLDER.glob("*.py"), *FOLDER.glob("*.json")])]


def method(resources: JudgeResources, source: str | bytes) -> Method:
    """Return a method that the screen lets through."""
    screened = Screen(resources.worker).parse(source)
    assert screened.method is not None, screened.reason
    return screened.method.method


def flags(resources: JudgeResources, suspect: Method, trial: Trial, thorough: bool = False) -> list[str]:
    """Examine a method on the problem of one of its trials; return the probes that failed it."""
    findings = resources.judge.examine(suspect, trial, thorough)
    return [finding.probe for finding in findings if finding.verdict is Verdict.FAILED]
