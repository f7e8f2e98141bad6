"""Writes the system text of a run: role, task, contract and rules, once; it never changes, so that a provider can cache it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from evolve.nouns import VERSIONS
from evolve.prompting.words import template
from fitness.contracts.contract import Words
from fitness.nouns import Limits

WIDTH = 133
WORDS, LIMITS = Words(), Limits()
NONE = "no more is told of it"


@dataclass(frozen=True)
class Rules:
    """What a method may use.

    Attributes:
        imports: the modules that it may import; `unavailable`: the names in them that do not work.
        versions: of the machine that the run began on: the run keeps the text.
    """

    imports: Iterable[str]
    unavailable: Iterable[str]
    versions: Mapping[str, str] = field(default_factory=dict)
    words: Words = WORDS
    limits: Limits = LIMITS


def system(task: str, contract: str, rules: Rules, facts: Sequence[str] = ()) -> str:
    """Return the stable prefix of a run; `facts` tell of each search domain what needs no label, "" for nothing."""
    versions, words = rules.versions, rules.words
    line = f"{VERSIONS}{', '.join(f'{name} {version}' for name, version in versions.items())}.\n" if versions else ""
    return template("system").substitute(
        task=task.strip(),
        facts=_facts(facts),
        contract=contract.strip(),
        imports=", ".join(sorted(rules.imports)),
        unavailable=", ".join(sorted(rules.unavailable)),
        versions=line,
        role=words.role,
        rules="\n".join(_rule(rule) for rule in words.rules),
        limits=_rule(_limits(rules)),
    )


def _limits(rules: Rules) -> str:
    """Say where time and memory end."""
    limits = rules.limits
    ends = f"{limits.seconds:g} seconds of wall clock, or when it takes more than {limits.memory / 2**30:.3g} GiB of memory"
    return f"A run is stopped after {ends}. A method that needs {rules.words.slow} may be stopped."


def _facts(facts: Sequence[str]) -> str:
    """Tell of each domain; it is numbered, and never named: a name could tell what is hard about it."""
    if not any(facts):
        return ""
    if len(facts) == 1:
        return f"\nAn instance of its domain: {facts[0]}.\n"
    lines = [f"- domain {number}: {fact or NONE}" for number, fact in enumerate(facts, start=1)]
    return "\n".join(["\nIt is scored on several domains. An instance of each:\n", *lines, ""])


def _rule(text: str) -> str:
    return "\n".join(textwrap.wrap(f"- {text}", WIDTH, subsequent_indent="  "))
