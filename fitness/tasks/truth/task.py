"""Defines the task truth: which statements are true, by what SmolLM2-135M makes of them. Nothing to download."""

from __future__ import annotations

from dataclasses import dataclass

from fitness.nouns import Limits, Measure
from fitness.tasks.embedded.grammar import GRAMMAR
from fitness.tasks.task import SEEDS, Task, fact

WIDTH = 576  # features of a row
TRAIN = 0.55  # share of the subjects that a method trains on
VERSION = 1  # raise it whenever an instance would come out different

BRIEF = """\
Unsupervised elicitation: which statements are true? A row is what a small language model (SmolLM2-135M-Instruct) makes of a
statement such as "The city of Paris is in France.": its residual stream in the middle of the network, where the object has just
been read. Half of the statements are true; false ones have the objects of others, so an object alone tells nothing.

The weak teacher is the same model's naive answer: a statement is called true if its likelihood, for its length, is above the
median. Nobody labelled anything. The likelihood follows how common words are as much as what is true, so imitating it scores
about 0; the student on true labels, the ceiling, shows what a probe of one layer can tell.

The rows of train_x and test_x are centred and have norm 2. The axes mean nothing, and neither do the variances of directions:
each channel has a random gain, then comes a random rotation, new for each instance. The two classes are balanced, in train and
in test, and train and test are about different subjects. A good method works on every domain that it is scored on and on others
that it never sees: other relations, layers of the model and accuracies of teacher and student, and fewer rows. Answers may not
depend on the order, number or company of the test rows.
"""


@dataclass(frozen=True)
class TruthDomain:
    """How the instances of a domain are made.

    Attributes:
        relation: the relation whose statements a method trains on; and is tested on, about other subjects.
        per: what a likelihood is divided by, "letter" or "token".
        carried_to: the relation that it is tested on instead; then 0 is chance and 1 is every answer right.
        subjects: how many the relation has; `templates`: sentences about each.
    """

    relation: str
    subjects: int
    templates: int = 1
    per: str = "letter"
    carried_to: str = ""


SEARCH = {"cities": TruthDomain("cities", 1200), "cities_token": TruthDomain("cities", 1200, per="token")}
HELD_OUT = {
    "number_words": TruthDomain("number_words", 600),
    "letters": TruthDomain("letters", 500),
    "city_continents": TruthDomain("city_continents", 536, per="token"),
    "continents": TruthDomain("continents", 206, 3),
    "language": TruthDomain("language", 210, 2),
    "elements": TruthDomain("elements", 103, 4),
}
TRANSFER = {
    f"to_{relation}": TruthDomain("cities", 1200, carried_to=relation)
    for relation in ("capitals", "currency", "us_cities", "opposites", "past_tense", "denied_cities")
}
DOMAINS = SEARCH | HELD_OUT | TRANSFER


def _fact(about: TruthDomain) -> str:
    """Each subject of either side has two statements in each template."""
    train, statements = round(TRAIN * about.subjects), 2 * about.templates
    return fact(statements * train, statements * (about.subjects - train), WIDTH)


TASK = Task(
    name="truth",
    version=str(VERSION),
    brief=BRIEF,
    search_domains=tuple(SEARCH),
    held_out_domains=(*HELD_OUT, *TRANSFER),
    measures=(Measure("teacher_agreement", 0.5, 0.78, 14), Measure("size", 7.0, 10.0, 6)),
    other_measures=(Measure("confidence", 0.5, 1.0, 10), Measure("positive_rate", 0.4, 0.6, 8)),
    limits=Limits(seconds=30.0),
    source="fitness.tasks.truth.source:TruthSource",
    facts={domain: _fact(about) for domain, about in SEARCH.items()},
    seeds=(SEEDS, SEEDS / "truth"),
    grammar=GRAMMAR,
)
