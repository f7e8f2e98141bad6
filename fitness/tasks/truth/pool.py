"""Holds the statements of one relation, and what the language model makes of them (builder process only)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fitness.assets.truth import features, statements


@dataclass(frozen=True, eq=False)
class Relation:
    """The n statements of a relation.

    Attributes:
        x: (n, width) float16, the residual stream.
        y: (n,) 1 where a statement is true.
        template: (n,) which sentence it is made of.
        likelihood: (n,) log-likelihoods in nats, by what they are divided by: "letter" or "token".
        rows: (subjects, templates, 1 + k) the places of a subject's statements in a template; the first one has its own object,
            the other k have those of others.
    """

    x: np.ndarray
    y: np.ndarray
    template: np.ndarray
    likelihood: Mapping[str, np.ndarray]
    rows: np.ndarray


def load() -> Mapping[str, Relation]:
    """Return every relation that is shipped."""
    read, made = statements.read(), features.load()
    places = defaultdict[str, list[int]](list)
    for place, statement in enumerate(read):
        places[statement.relation].append(place)
    return {name: _relation([read[place] for place in some], made, np.array(some)) for name, some in places.items()}


def _relation(read: list[statements.Statement], made: features.Features, places: np.ndarray) -> Relation:
    subjects, templates = (len({statement[i] for statement in read}) for i in (1, 2))
    total = made.log_likelihood[places].astype(np.float64)
    return Relation(
        x=made.residual[places],
        y=np.array([statement.true for statement in read]),
        template=np.array([statement.template for statement in read]),
        likelihood={"letter": total / [len(statement.text) for statement in read], "token": total / made.tokens[places]},
        rows=np.arange(len(read)).reshape(subjects, templates, -1),
    )
