"""Prompts: the stable system text, and what changes from call to call. The words themselves are in prompts/*.md.

The system text comes first and never changes during a run, so that a provider can cache it. The only score that enters is the
coarse one of an Exhibit (disclosure.py). Whatever a method, a model or a sandbox wrote is fenced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from string import Template

from evolve.nouns import Brief, CoarseScore, Exhibit, Failure

PROMPTS = Path(__file__).parent / "prompts"
ASK = 4096  # characters that an operator's own words have at most
LINE = 300  # characters of a stranger's text that is shown as one line


@cache
def template(name: str) -> Template:
    """Return the prompt text `prompts/NAME.md`."""
    return Template((PROMPTS / f"{name}.md").read_text(encoding="utf-8").rstrip("\n"))


def system(task: str, imports: Iterable[str]) -> str:
    """Return the stable prefix of a run: the task's own words, the contract, the rules, the modules a method may import."""
    return template("system").substitute(task=task.strip(), imports=", ".join(sorted(imports)))


def prompt(brief: Brief, ask: str) -> str:
    """Return the request: direction, parents, inspirations, failures nearby, and what is asked of the model."""
    return template("brief").substitute(
        direction="\n".join(f"> {line}".rstrip() for line in brief.direction.text.strip().split("\n")),
        parents=_exhibits("Parent", brief.parents),
        inspirations=_exhibits("Method", brief.inspirations),
        failures=_failures(brief.failures),
        ask=ask,
    )


def request(brief: Brief, name: str) -> str:
    """Return the request with the ask of `prompts/NAME.md`, for the operators that fill nothing else in."""
    return prompt(brief, template(name).substitute())


def longest(brief: Brief) -> str:
    """Return a text at least as long as any first request about a brief, to reserve what it may cost."""
    broken = brief.broken.source + brief.broken.reason if brief.broken else ""
    return prompt(brief, broken + "\n".join(brief.deleted) + " " * ASK)


def fence(text: str, language: str = "") -> str:
    """Return a fenced block that its content cannot close: it has more backticks than any run inside (CommonMark 4.5)."""
    runs = re.findall(r"`+", text)
    ticks = "`" * max([3, *(len(run) + 1 for run in runs)])
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def one_line(text: str, limit: int = LINE) -> str:
    """Return a stranger's text as one printable line, cut to `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _exhibits(title: str, exhibits: tuple[Exhibit, ...]) -> str:
    blocks = []
    for number, exhibit in enumerate(exhibits, start=1):
        # domains are numbered, and only when there are several: a name could tell what is hard about one
        places = [f" in domain {i + 1}" for i in range(len(exhibit.scores))] if len(exhibit.scores) > 1 else [""]
        score = "; ".join(_score(*pair) for pair in zip(exhibit.scores, places)) or "not scored"
        name = one_line(exhibit.name, 60).replace("`", "'")
        blocks.append(f"## {title} {number}: {name}, {score}\n\n{fence(exhibit.method.source, 'python')}")
    return "\n\n".join(blocks) or "None yet."


def _score(score: CoarseScore, where: str) -> str:
    """Say what the Ladder said: a new best, or nothing but that it was none."""
    if score.raised:
        return f"PGR about {score.pgr:.2f}{where}, the best of its time"
    return f"no better{where} than the best before it, PGR about {score.pgr:.2f}"


def _failures(failures: tuple[Failure, ...]) -> str:
    lines = [f"- {one_line(f.summary) or 'a change'}: {one_line(f.reason) or 'no reason known'}" for f in failures]
    return fence("\n".join(lines), "text") if lines else "Nothing yet."
