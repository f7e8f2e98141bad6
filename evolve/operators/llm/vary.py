"""Asks a model for another direction, a variation of the brief's (operator `vary`)."""

from __future__ import annotations

import hashlib
import random
import re

from evolve.errors import ModelError
from evolve.nouns import Brief, Draft, Subject, Tools
from evolve.operators.llm.conversation import Conversation
from evolve.operators.llm.thoughts import Unreadable, spoken
from evolve.prompting.prompts import variation
from evolve.text import printable_line
from fitness.nouns import Direction

NAME = 40  # characters of a name
TEXT = 300  # characters of a direction, which are at most two lines
LABEL = re.compile(r"[ \t>*_#-]*(name|direction)[ \t*_]*:[ \t*_]*(.*)", re.IGNORECASE)
CODE = re.compile(r"[`={}<>\\|~]|\w\(|^\s*(?:import \w|from \S+ import|def \w|class \w+:|return\b)")


class Vary:
    """Asks for a name and one or two vague lines; the reply is a stranger's, so little of it is let through."""

    name = "vary"
    needs_model = True
    parents = 1
    subject: Subject = "direction"

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Make a direction. Raises ModelError when the model gave no answer at all."""
        talk = Conversation(tools)
        try:
            name, text = suggested(talk.ask(variation(brief)))
        except ModelError as error:
            return talk.failed(error)
        except Unreadable as error:
            return talk.draft(None, str(error))
        old = brief.direction
        if text.split() == old.text.split():
            return talk.draft(None, "the reply repeats the direction without a change")
        if name == old.name:
            name = f"{name[: NAME - 5]}-{hashlib.sha256(text.encode()).hexdigest()[:4]}"
        origin = tools.model.name if tools.model else ""
        return talk.direction(Direction(name, text, old.focus, origin, old.name))


def suggested(reply: str) -> tuple[str, str]:
    """Return the name and the text of the direction in a reply. Raises Unreadable when it holds none that can be used."""
    name, lines = _labelled(spoken(reply))
    if not lines:
        raise Unreadable("the reply has no line that begins with DIRECTION:")
    if len(lines) > 2 or sum(map(len, lines)) >= TEXT:
        raise Unreadable(f"the direction is longer than two lines or {TEXT} characters")
    if any(CODE.search(line) for line in lines):
        raise Unreadable("the direction has code in it")
    text = "\n".join(lines)
    slug = re.sub(r"[^a-z0-9 -]+", " ", (name or " ".join(text.split()[:4])).lower())
    slug = " ".join(slug.split())[:NAME].strip(" -")
    if not slug or not any(c.isalpha() for c in text):
        raise Unreadable("the direction has no words in it")
    return slug, text


def _labelled(text: str) -> tuple[str, list[str]]:
    """Return what stands behind NAME: and the paragraph behind DIRECTION:, as printable lines without emphasis."""
    name, lines, inside = "", list[str](), False
    for raw in text.split("\n"):
        found = LABEL.match(raw)
        if not found and not inside:
            continue
        line = printable_line(found[2] if found else raw, TEXT + 1).strip("*_ ")
        if found and found[1].lower() == "name":
            name, inside = name or line, False
        elif found and not lines:
            inside, lines = True, [line] if line else []
        elif inside and line:
            lines.append(line)
        elif inside and lines:
            break
    return name, lines
