"""A model that answers from a list, and a brief about a small method, for the tests of the operators that talk to one."""

import atexit
import random
from dataclasses import replace

from archives.nouns import Usage
from evolve import operators
from evolve.nouns import Brief, Broken, Exhibit, Reply, Tools
from evolve.screening.worker import WorkerProcess
from fitness.nouns import Direction, Method

PARENT = '''"""Trains on the confident half."""

import torch

SHARE = 0.5


def select(weak):
    confidence = (weak[:, 1] - 0.5).abs()
    return confidence >= confidence.quantile(SHARE)


def method(problem):
    keep = select(problem.weak)
    predictor = problem.student.fit(
        problem.train_x[keep], problem.weak[keep], epochs=20, lr=0.003, batch=128, weight_decay=0.01, hidden=64
    )
    probabilities = predictor(problem.test_x)[:, 1]
    return probabilities.clamp(0.01, 0.99)
'''
CHILD = PARENT.replace("epochs=20", "epochs=30")
MATE = PARENT.replace("Trains on", "Trusts").replace("(weak[:, 1] - 0.5).abs()", "weak.max(1).values").replace("0.5\n", "0.4\n")
FAILED = PARENT.replace("import torch\n\n", "").replace("problem.weak)", "problem.labels)")
BRIEF = Brief(
    Direction("trust", "Whom to trust?", ()),
    (Exhibit(Method("a" * 64, PARENT, 60), "confident"), Exhibit(Method("b" * 64, MATE, 60), "sure")),
    broken=Broken(FAILED, "line 11: AttributeError: a problem has no labels"),
)
RNG = random.Random(0)
SYNTAX = WorkerProcess()
atexit.register(SYNTAX.close)


class Script:
    """A model that answers with these texts, or raises these errors, in turn."""

    name = "scripted"

    def __init__(self, *turns: str | Exception) -> None:
        self.turns, self.asked = list(turns), []

    def ask(self, system: str, prompt: str) -> Reply:
        self.asked.append((system, prompt))
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return Reply(turn, Usage("scripted", 1, 100, 10, 0.25, 1.0))


def propose(name: str, model):
    operator = operators.load(name)
    broken = BRIEF.broken if operator.subject == "failure" else None
    brief = replace(BRIEF, parents=BRIEF.parents[: operator.parents], broken=broken)
    return operator.propose(brief, Tools(SYNTAX, model, "the rules"), RNG)


def edit(search: str, replace: str) -> str:
    return f"IDEA: **train longer**\n\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


LINE = "        problem.train_x[keep], problem.weak[keep], epochs=20, lr=0.003, batch=128, weight_decay=0.01, hidden=64"
GOOD = {
    "rewrite": f"Idea: train longer\n\n```python\n{CHILD}```\n",
    "cross": f"**IDEA**: train longer\n\n```python\n{CHILD}```\n",
    "fix": f"- Idea: train longer\n\n```python\n{CHILD}```\n",
    "explain": f"## Hypothesis\n\ntrain\nlonger\n\nSo it is.\n\n```python\n{CHILD}```\n",
    "diff": edit(LINE, LINE.replace("epochs=20", "epochs=30")),
}
BAD_EDIT = edit("    keep = choose(problem.weak)", "    keep = problem.weak[:, 1] > 0.9")
