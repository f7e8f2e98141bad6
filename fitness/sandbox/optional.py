"""Tells which installed libraries nothing behind the walls needs: there they are absent, on every machine.

What a method may import loads other libraries where they happen to be installed: scikit-learn loads pandas, pandas pyarrow, and
no fork survives pyarrow's thread. What a method can do would depend on what else a user installed.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator
from functools import cache

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from fitness.sandbox import DISTRIBUTIONS

MODELS = ("transformers", "peft")  # the distributions of what loads a language model


@cache
def absent(model: bool = False) -> tuple[str, ...]:
    """Return the top-level names that no needed distribution holds, sorted; `model`: whether a language model is loaded.

    What belongs to no distribution is not among them: nobody knows who needs it.
    """
    needed = _closure((*DISTRIBUTIONS.values(), *(MODELS if model else ())))
    holders = importlib.metadata.packages_distributions().items()
    unneeded = {name for name, held in holders if not needed & set(map(canonicalize_name, held))}
    return tuple(sorted(unneeded - sys.stdlib_module_names))


def _closure(names: tuple[str, ...]) -> set[str]:
    """Return distributions by their normalised names, and all that they require, and so on."""
    found, left = set[tuple[str, str]](), [(str(canonicalize_name(name)), "") for name in names]
    while left:
        if (one := left.pop()) not in found:
            found.add(one)
            left += _required(*one)
    return {name for name, _ in found}


def _required(name: str, extra: str) -> Iterator[tuple[str, str]]:
    """Yield what a distribution requires on this machine for an extra ("": without any), each with the extra that is meant."""
    try:
        lines = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return
    for line in lines:
        try:
            one = Requirement(line)
        except InvalidRequirement:  # an old distribution's: what it names may be installed, and stays absent
            continue
        if one.marker is None or one.marker.evaluate({"extra": extra}):
            yield from ((str(canonicalize_name(one.name)), wanted) for wanted in ("", *one.extras))
