"""Asks a model to edit the parent with SEARCH/REPLACE blocks, with one repair turn (operator `diff`)."""

from __future__ import annotations

import random

from evolve.errors import ModelError
from evolve.nouns import Brief, Draft, Subject, Tools
from evolve.operators.llm.conversation import Conversation
from evolve.operators.llm.replies import Unmatched, apply, blocks
from evolve.operators.llm.thoughts import Unreadable
from evolve.prompting.prompts import request
from evolve.prompting.words import template
from evolve.text import fence


class Diff:
    """Asks for an idea and edits; every edit must match exactly once, and all of them are made or none."""

    name = "diff"
    needs_model = True
    parents = 1
    subject: Subject = "parents"

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Make a child of the first parent. Raises ModelError when the model gave no answer at all."""
        parent = brief.parents[0].method.source
        talk = Conversation(tools)
        try:
            reply = talk.ask(request(brief, "diff"))
            try:
                source = apply(parent, blocks(reply))
            except (Unreadable, Unmatched) as error:
                source = apply(parent, blocks(talk.ask(repair(reply, error))))
        except ModelError as error:
            return talk.failed(error)
        except (Unreadable, Unmatched) as error:
            return talk.draft(None, f"after one repair turn, {error}")
        return talk.child(source, brief)


def repair(reply: str, error: Unreadable | Unmatched) -> str:
    """Return what the repair turn adds: the reply, and what in it did not apply."""
    problems = error.details if isinstance(error, Unmatched) else f"{error}."
    return template("repair").substitute(reply=fence(reply[:20_000], "text"), problems=problems)
