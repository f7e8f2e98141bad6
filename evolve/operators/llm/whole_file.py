"""Asks a model for a whole file (operators `rewrite`, `explain`, `cross` and `fix`)."""

from __future__ import annotations

import random
from typing import ClassVar

from evolve.errors import ModelError
from evolve.nouns import Brief, Draft, Subject, Tools
from evolve.operators.llm.conversation import Conversation
from evolve.operators.llm.replies import whole_file
from evolve.operators.llm.thoughts import Unreadable
from evolve.prompting.prompts import request


class Writing:
    """Asks for an idea and the whole file in one fenced block, in the words of `templates/NAME.md`."""

    name: ClassVar[str]
    needs_model: ClassVar[bool] = True
    parents: ClassVar[int] = 1
    subject: ClassVar[Subject] = "parents"

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Make a child of the parents. Raises ModelError when the model gave no answer at all."""
        talk = Conversation(tools)
        if lacking := self.lacking(brief):
            return talk.draft(None, lacking)
        try:
            source = whole_file(talk.ask(request(brief, self.name)))
        except ModelError as error:
            return talk.failed(error)
        except Unreadable as error:
            return talk.draft(None, str(error))
        return talk.child(source, brief)

    def lacking(self, brief: Brief) -> str:
        """Say what the brief lacks for this operator, as a sentence, so that no call is wasted; else ""."""
        return ""


class Rewrite(Writing):
    """Starts from one parent."""

    name = "rewrite"


class Explain(Writing):
    """Asks for a mechanism and what it predicts before the file; the hypothesis becomes the draft's idea."""

    name = "explain"


class Cross(Writing):
    """Asks for one method that takes a mechanism of each parent."""

    name = "cross"
    parents = 2

    def lacking(self, brief: Brief) -> str:
        """Two parents."""
        return "" if len(brief.parents) > 1 else "there is no second parent to cross with"


class Fix(Writing):
    """Shows the failed child and its error, and asks for the whole corrected file."""

    name = "fix"
    subject: ClassVar[Subject] = "failure"

    def lacking(self, brief: Brief) -> str:
        """A failed child."""
        return "" if brief.broken else "there is no failed child to mend"
