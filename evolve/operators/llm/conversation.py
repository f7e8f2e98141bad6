"""Conducts an operator's exchange with its model: the turns, their cost, and the draft they end in."""

from __future__ import annotations

from dataclasses import replace

from evolve.errors import ModelError
from evolve.nouns import TURN, Brief, Draft, Reply, Tools, UnusableAnswer, total
from evolve.operators.llm.replies import idea, prediction
from evolve.prompting.prompts import FILE
from evolve.screening.worker import CallFailed, WorkerDied
from evolve.text import printable_line
from fitness.nouns import Direction

REPAIR = "evolve.operators.llm.repair:repaired"  # runs in the worker
SECONDS = 2.0  # of processor time


class Conversation:
    """A conversation of one or more turns; each turn repeats what was said before it, for models keep no state."""

    def __init__(self, tools: Tools) -> None:
        if tools.model is None:
            raise ValueError("this operator needs a model, and the run has none")
        self._model, self._system, self._worker = tools.model, tools.system, tools.worker
        self._said: list[str] = []
        self._heard: list[Reply] = []

    def ask(self, text: str) -> str:
        """Say something more and return the answer. Raises ModelError; an answer that was paid for is kept for the draft."""
        self._said.append(text)
        try:
            self._heard.append(self._model.ask(self._system, "\n\n".join(self._said)))
        except UnusableAnswer as error:
            self._heard.append(error.reply)
            raise
        return self._heard[-1].text

    def draft(self, source: str | None, problem: str = "") -> Draft:
        """Return the draft: the source or the problem, with all turns and their cost."""
        heard = [reply.text for reply in reversed(self._heard)]
        stated, predicted = (next(filter(None, map(read, heard)), "") for read in (idea, prediction))
        usage = total(reply.usage for reply in self._heard)
        return Draft(source, stated, _joined(self._said), _joined(heard[::-1]), usage, problem, prediction=predicted)

    def child(self, source: str, brief: Brief) -> Draft:
        """Return the draft of a file: repaired where that changes nothing it does, refused when it repeats what was shown."""
        shown = [exhibit.method.source for exhibit in (*brief.parents, *brief.inspirations)]
        shown += [brief.broken.source] if brief.broken else []
        repaired = self._repaired(source, shown) if len(source) <= FILE else source
        for text in (source, repaired):
            if brief.broken and _lines(text) == _lines(brief.broken.source):
                return self.draft(None, "the reply repeats the file that failed")
            if any(_lines(text) == _lines(parent.method.source) for parent in brief.parents):
                return self.draft(None, "the reply repeats a parent without a change")
        return self.draft(repaired)

    def _repaired(self, source: str, others: list[str]) -> str:
        """Return the file repaired as far as its meaning does not change; the rules say what is wrong with the rest."""
        try:
            return str(self._worker.call(REPAIR, SECONDS, source=source, others=others)["source"])
        except (CallFailed, WorkerDied):
            return source

    def direction(self, suggested: Direction) -> Draft:
        """Return the draft of a direction."""
        return replace(self.draft(None), idea=printable_line(suggested.text), direction=suggested)

    def failed(self, error: ModelError) -> Draft:
        """Return the draft of a failed exchange. Raises the error itself when nothing was answered: no draft is to be kept."""
        if not self._heard:
            raise error
        return self.draft(None, str(error))


def _lines(source: str) -> list[str]:
    return [line.rstrip() for line in source.splitlines() if line.strip()]


def _joined(turns: list[str]) -> str:
    text = turns[0] if turns else ""
    for number, turn in enumerate(turns[1:], start=2):
        text += TURN.format(number) + turn
    return text
