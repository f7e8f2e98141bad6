"""Writes the statements, true and false: `python -m fitness.assets.truth.statements` (build only).

Each subject is said its true object once in each template, and as often as its relation says a false one. The false objects are
the true ones in another order, so an object alone tells nothing.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from fitness.assets.truth.facts import Facts, relations
from fitness.assets.truth.smollm2 import SmolLM2, find
from fitness.registry import UsageError

FILE = Path(__file__).with_name("statements.csv")
SEED = 20


class Statement(NamedTuple):
    """One sentence.

    Attributes:
        relation: its relation's name.
        subject: what it is about; train and test are split by it.
        template: the place of its template in the relation.
        true: 1 where it is true.
        text: the sentence.
    """

    relation: str
    subject: str
    template: int
    true: int
    text: str


def statements(relation: Facts, rng: np.random.Generator) -> Iterator[Statement]:
    """Yield the statements of a relation, subject by subject."""
    subjects = [subject for subject, _ in relation.facts]
    said = [false_objects(relation, rng) for _ in relation.templates]
    for place, (subject, true) in enumerate(relation.facts):
        for number, template in enumerate(relation.templates):
            objects = [true, *(order[place] for order in said[number])]
            for fact, object in enumerate(objects):
                text = template.format(s=subjects[place], o=object)
                yield Statement(relation.name, subject, number, int((fact == 0) != relation.denied), text[0].upper() + text[1:])


def false_objects(relation: Facts, rng: np.random.Generator) -> list[list[str]]:
    """Return the true objects in as many other orders as the relation has false ones, no subject's own or one it has had.

    An order is the cheapest assignment of objects to subjects at random costs. Raises ValueError where there is none.
    """
    subjects, true = zip(*relation.facts)
    had, orders = [{object} for object in true], list[list[str]]()
    for _ in range(relation.false):
        cost = rng.random((len(true), len(true)))
        for place, subject in enumerate(subjects):
            barred = {object for object in set(true) if object in had[place] or relation.may_be(subject, object)}
            cost[place, [object in barred for object in true]] = np.inf
        orders.append([true[place] for place in linear_sum_assignment(cost)[1]])
        for objects, object in zip(had, orders[-1]):
            objects.add(object)
    return orders


def read(file: Path = FILE) -> list[Statement]:
    """Return the statements that are shipped, in the order of the features."""
    with file.open(newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        return [
            Statement(relation, subject, int(template), int(true), text) for relation, subject, template, true, text in rows
        ]


def main() -> None:
    """Write statements.csv beside this file, and print how many there are of each relation."""
    rng = np.random.default_rng(SEED)
    with FILE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Statement._fields)
        for relation in relations(SmolLM2(find()).vocabulary):
            rows = list(statements(relation, rng))
            writer.writerows(rows)
            print(
                f"{relation.name}: {len(relation.facts):,} subjects, {len(rows):,} statements, such as {rows[0].text}",
                flush=True,
            )


if __name__ == "__main__":
    try:
        main()
    except UsageError as error:
        sys.exit(str(error))
