"""The operator `rewrite`: a model writes the whole file anew."""

from __future__ import annotations

import random

from evolve.brief import request
from evolve.errors import ModelError
from evolve.nouns import Brief, Draft, Subject, Tools
from evolve.operators.replies import Unreadable, whole_file
from evolve.operators.talk import Talk


class Rewrite:
    """Asks for an idea and the whole file in one fenced block."""

    name = "rewrite"
    needs_model = True
    parents = 1
    subject: Subject = "parents"

    def propose(self, brief: Brief, tools: Tools, rng: random.Random) -> Draft:
        """Make a child of the first parent. Raises ModelError when the model gave no answer at all."""
        talk = Talk(tools)
        try:
            source = whole_file(talk.ask(request(brief, "rewrite")))
        except ModelError as error:
            return talk.failed(error)
        except Unreadable as error:
            return talk.draft(None, str(error))
        if source.strip() == brief.parents[0].method.source.strip():
            return talk.draft(None, "the reply repeats the parent without a change")
        return talk.draft(source)
