"""Holds a task to its contract: for those whom others write (evolve.testing)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fitness import registry
from fitness.contracts import checking
from fitness.nouns import TaskFault
from fitness.tasks.secret import Secret
from fitness.tasks.task import Task, domains


def check_task(task: Task, drawn: Sequence[str] | None = None) -> None:
    """Hold a task to its contract: what it declares, and that an instance of each of some domains (default: all) repeats."""
    names = domains(task)
    _holds(bool(task.search_domains), "a task has a search domain")
    _holds(len(set(names)) == len(names), "no two domains bear one name")
    _holds(0 <= task.margin < math.inf, f"the margin is a number of 0 or more, not {task.margin}")
    _holds(task.least_instances >= 2, f"an interval needs two instances or more, not {task.least_instances}")
    _holds(task.limits.seconds > 0, "a method has time to run")
    measures = [*task.measures, *task.other_measures]
    _holds(len({measure.name for measure in measures}) == len(measures), "no two measures bear one name")
    _holds(len(task.measures) >= 2, "a grid has two measures or more")
    for measure in measures:
        _holds(measure.low < measure.high and measure.bins > 1, f"{measure.name} has two bins or more between its edges")
    factory = registry.load(task.source)
    _holds(callable(factory), f"{task.source} is a class or function that draws instances")
    for domain in names if drawn is None else drawn:
        _check_draws(task, domain)


def _check_draws(task: Task, domain: str) -> None:
    source = registry.load(task.source)(task.options)
    one, again, other = (source.draw(domain, Secret(key * 32)) for key in (b"a", b"a", b"b"))
    drawn = [_bytes(draw.public) + _bytes(draw.private) for draw in (one, again, other)]
    _holds(drawn[0] == drawn[1], f"{domain}: the same secret drew another instance: draw everything random from it")
    _holds(drawn[0] != drawn[2], f"{domain}: another secret draws another instance")
    try:
        checking.flat(task.contract, one.public, one.private)
        checking.check_anchors(one.floor, one.ceiling)
    except TaskFault as fault:
        raise AssertionError(f"{domain}: {fault}") from None


def _bytes(arrays: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    return [(name, np.asarray(array).tobytes()) for name, array in sorted(arrays.items())]


def _holds(so: object, sentence: str) -> None:
    if not so:
        raise AssertionError(sentence)
