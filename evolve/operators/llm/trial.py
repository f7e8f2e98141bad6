"""Lets a model try a few variants before it writes its child (operator `trial`): experiments teach more than parents do."""

from __future__ import annotations

import random
import re

from evolve.errors import ModelError
from evolve.nouns import Brief, Draft, Experiment, Experimenter, Subject, Tools, Variant
from evolve.operators.llm.conversation import Conversation
from evolve.operators.llm.fences import Scanner
from evolve.operators.llm.replies import Unmatched, apply, blocks, whole_file
from evolve.operators.llm.thoughts import Unreadable, spoken
from evolve.prompting.prompts import prompt
from evolve.prompting.words import template
from evolve.text import LINE, fence, printable_line

MOST = 3  # variants of one answer that are tried
LABEL = re.compile(r"[ \t>*_#-]*VARIANT\b[^:\n]{0,20}:[ \t*_]*(.*)")


class TrialAndChild:
    """Asks for variants, tries them, tells what came of them in the same conversation, and asks for the whole file."""

    name = "trial"
    needs_model = True
    needs_cards = True
    experiments = True
    parents = 1
    subject: Subject = "parents"

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Make a child of the first parent. Raises ModelError when the model gave no answer at all."""
        talk = Conversation(tools)
        if tools.experiments is None:
            return talk.draft(None, "this run has no experiments to try variants with")
        ask = template("trial").substitute(most=MOST, instances=tools.experiments.instances)
        try:
            reply = talk.ask(prompt(brief, ask))
            parts = sections(reply)
            if parts:
                reply = talk.ask(_outcome(reply, parts, brief.parents[0].method.source, tools.experiments))
            source = whole_file(reply)
        except ModelError as error:
            return talk.failed(error)
        except Unreadable as error:
            return talk.draft(None, str(error))
        return talk.child(source, brief)


def sections(reply: str) -> list[tuple[str, str]]:
    """Return the variants of a reply: what is different about each, and the text that gives it. Raises Unreadable."""
    found: list[tuple[str, list[str]]] = []
    scanner = Scanner(strings=True)
    for line in spoken(reply).split("\n"):
        label = None if scanner.open else LABEL.match(line)
        scanner.is_fence(line)
        if label:
            found.append((printable_line(label[1], LINE).strip("*_ ") or "a variant", []))
        elif found:
            found[-1][1].append(line)
    return [(label, "\n".join(lines)) for label, lines in found]


def _outcome(reply: str, parts: list[tuple[str, str]], parent: str, experiments: Experimenter) -> str:
    """Try the variants of a reply, and return the request that tells what came of them."""
    read = [(label, *_variant(text, parent)) for label, text in parts[:MOST]]
    tried = iter(experiments.run([Variant(label, source) for label, source, problem in read if not problem]))
    results = [
        _result(number, label, problem, None if problem else next(tried, None))
        for number, (label, _, problem) in enumerate(read, start=1)
    ]
    if len(parts) > MOST:
        results.append(f"{len(parts) - MOST} more were not tried: {MOST} are at most.")
    told = {"reply": fence(reply[:20_000], "text"), "instances": experiments.instances, "results": "\n\n".join(results)}
    return template("tried").substitute(told)


def _variant(text: str, parent: str) -> tuple[str, str]:
    """Return the source of a variant, or why there is none, as a sentence."""
    try:
        source = apply(parent, blocks(text)) if "<<<<<<" in text else whole_file(text)
    except (Unreadable, Unmatched) as error:
        return "", str(error)
    return (source, "") if source.strip() != parent.strip() else ("", "it is the first parent without a change")


def _result(number: int, label: str, problem: str, experiment: Experiment | None) -> str:
    """Return what came of a variant, as a part of the request."""
    if experiment is not None and experiment.card:
        said = experiment.card
    else:
        failed = experiment.problem if experiment is not None else problem
        said = f"- not tried: {printable_line(failed, 2 * LINE) or 'a proposal may try no more'}"
    return f"## Variant {number}\n\n{fence(label, 'text')}\n\n{said}"
