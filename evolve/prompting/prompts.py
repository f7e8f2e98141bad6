"""Writes the prompts: the stable system text, and the request of each call. The words themselves are in templates/*.md.

The system text comes first and never changes during a run, so that a provider can cache it; within a request what changes least
comes first. The only score that enters is the coarse one of an Exhibit (disclosure.py). Whatever a method, a model or a sandbox
wrote is fenced, and every part has a largest size.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from string import Template
from types import MappingProxyType

from evolve.nouns import VERSIONS, Brief, Broken, CoarseScore, Exhibit, Failure
from evolve.text import LINE, fence, printable_line, visible
from fitness.contracts.contract import Words
from fitness.nouns import Direction

WORDS, WIDTH = Words(), 133
PROMPTS = Path(__file__).parent / "templates"
ASK = 4096  # characters that an operator's own words have at most
FILE = 32 * 1024  # characters of a file: as long as a method may be
ROOM = 80_000  # characters of all methods in a request; parents are shown whole, inspirations while there is room
FAILURES = 8  # failures in a request
DELETED = 20  # deleted lines in a request
OPENING = 12  # lines of a method in a request that asks for no method


@cache
def template(name: str) -> Template:
    """Return the prompt text `templates/NAME.md`."""
    return Template((PROMPTS / f"{name}.md").read_text(encoding="utf-8").rstrip("\n"))


def system(
    task: str,
    contract: str,
    imports: Iterable[str],
    unavailable: Iterable[str],
    versions: Mapping[str, str] = MappingProxyType({}),
    words: Words = WORDS,
) -> str:
    """Return the stable prefix of a run: the task's own words, the contract, the rules.

    `imports` are the modules a method may import, `unavailable` the names in them that do not work. The versions are those of
    the machine that the run began on: the run keeps the text.
    """
    line = f"{VERSIONS}{', '.join(f'{name} {version}' for name, version in versions.items())}.\n" if versions else ""
    return template("system").substitute(
        task=task.strip(),
        contract=contract.strip(),
        imports=", ".join(sorted(imports)),
        unavailable=", ".join(sorted(unavailable)),
        versions=line,
        role=words.role,
        rules="\n".join(_rule(rule) for rule in words.rules),
        limits=_rule(f"Time and memory are limited: a method that needs {words.slow} may be stopped."),
    )


def _rule(text: str) -> str:
    return "\n".join(textwrap.wrap(f"- {text}", WIDTH, subsequent_indent="  "))


def prompt(brief: Brief, ask: str) -> str:
    """Return the request: direction, parents, what failed, inspirations, the child to be repaired, and what is asked."""
    parents = "\n\n".join(_exhibit("Parent", *pair) for pair in enumerate(brief.parents, start=1))
    return template("brief").substitute(
        direction=_quoted(brief.direction),
        parents=parents,
        deleted=_deleted(brief.deleted),
        failures=_failures(brief.failures),
        inspirations=_inspirations(brief.inspirations, ROOM - len(parents)),
        broken=_broken(brief.broken) if brief.broken else "",
        ask=ask,
    )


def request(brief: Brief, name: str) -> str:
    """Return the request with the ask of `templates/NAME.md`, for the operators that fill nothing else in."""
    return prompt(brief, template(name).substitute())


def longest(brief: Brief) -> str:
    """Return a text at least as long as any first request about a brief, to reserve what it may cost."""
    return prompt(brief, " " * ASK)


def variation(brief: Brief) -> str:
    """Return the request for another direction: the one there is, and the opening lines of what it led to."""
    opened = [replace(e, method=replace(e.method, source=_opening(e.method.source))) for e in brief.parents]
    return template("varied").substitute(
        direction=_quoted(brief.direction),
        parents="\n\n".join(_exhibit("Method", *pair) for pair in enumerate(opened, start=1)),
        ask=template("vary").substitute(),
    )


def _quoted(direction: Direction) -> str:
    return "\n".join(f"> {line}".rstrip() for line in visible(direction.text.strip()[:1_000]).splitlines())


def _exhibit(title: str, number: int, exhibit: Exhibit) -> str:
    name = printable_line(exhibit.name, 60).replace("`", "'")
    if exhibit.card:
        return f"## {title} {number}: {name}\n\n{exhibit.card}\n\n{_file(exhibit.method.source)}"
    # domains are numbered, and only when there are several: a name could tell what is hard about one
    places = [f" in domain {i + 1}" for i in range(len(exhibit.scores))] if len(exhibit.scores) > 1 else [""]
    score = "; ".join(_score(*pair) for pair in zip(exhibit.scores, places)) or "not scored"
    return f"## {title} {number}: {name}, {score}\n\n{_file(exhibit.method.source)}"


def _inspirations(exhibits: tuple[Exhibit, ...], room: int) -> str:
    """Show the first inspirations that fit, and say how many do not."""
    blocks: list[str] = []
    for number, exhibit in enumerate(exhibits, start=1):
        block = _exhibit("Method", number, exhibit)
        room -= len(block)
        if room < 0:
            blocks.append(f"{len(exhibits) - number + 1} more are left out here: they are too long.")
            break
        blocks.append(block)
    return "\n\n".join(blocks) or "None yet."


def _file(source: str) -> str:
    """Fence a file, and say so when it is too long to be shown whole."""
    cut = f"\n\nThe file goes on for {len(source) - FILE:,} more characters." if len(source) > FILE else ""
    return fence(source[:FILE], "python") + cut


def _opening(source: str) -> str:
    return "\n".join(source.split("\n")[:OPENING])[:1_000]


def _deleted(lines: tuple[str, ...]) -> str:
    shown = [printable_line(line, 160) for line in lines[:DELETED]]
    text = fence("\n".join(filter(None, shown)), "python")
    return template("deleted").substitute(lines=text) + "\n\n" if any(shown) else ""


def _broken(broken: Broken) -> str:
    reason = fence(printable_line(broken.reason, 2 * LINE) or "no reason known", "text")
    return template("broken").substitute(source=_file(broken.source), reason=reason) + "\n\n"


def _score(score: CoarseScore, where: str) -> str:
    """Say what the Ladder said: a new best, or nothing but that it was none."""
    if score.raised:
        return f"PGR about {score.pgr:.2f}{where}, the best of its time"
    return f"no better{where} than the best before it, PGR about {score.pgr:.2f}"


def _failures(failures: tuple[Failure, ...]) -> str:
    lines = [
        f"- {printable_line(f.summary) or 'a change'}: {printable_line(f.reason) or 'no reason known'}"
        for f in failures[:FAILURES]
    ]
    return fence("\n".join(lines), "text") if lines else "Nothing yet."
