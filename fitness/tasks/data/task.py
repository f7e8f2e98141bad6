"""Makes the task of a user's own data: the weak-to-strong contract on a folder of files, or on arrays."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from numbers import Real
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np

from fitness.contracts.contract import Words
from fitness.contracts.probabilities import PROBABILITIES
from fitness.contracts.wording import WIDTH
from fitness.registry import UsageError
from fitness.tasks.data import checks, pool
from fitness.tasks.data.columns import aligned
from fitness.tasks.data.pool import Pool
from fitness.tasks.data.reading import Arrays, taken
from fitness.tasks.embedded.grammar import GRAMMAR
from fitness.tasks.task import Task, fact

NAME, VERSION = "w2s", 2  # raise the version whenever an instance would come out different
STEMS = ("train", "test")  # of the files of a domain
Balance = Literal["natural", "balanced"]
MARGIN = 0.05  # by how much a ceiling must exceed its floor
STUDENT, TRUE = "the default student on the weak labels", "the default student trained on true labels"
NONE = dict[str, Any]()
Options = TypeVar("Options", bound="DataOptions")
BRIEF = """\
Weak-to-strong generalisation (Burns et al. 2023) on somebody's own data: a weak teacher labels examples for a strong student.
It is often wrong; the features may contain the truth, mixed with much else. A method must elicit it from the weak labels alone.
It is scored by PGR, performance gap recovered: 0 is as good as {floor},
1 is as good as {ceiling}.

In each instance the rows are others of the same data; columns have random gains and are turned at random, new for each one,
so the axes mean nothing{norms}. Classes are {classes}.
A good method works on every domain, and knows nothing of this data. Answers may not depend on the order, number or company of
the test rows.
"""


@dataclass(frozen=True)
class DataOptions:
    """What a user says of the data. Raises UsageError for what nobody could mean.

    Attributes:
        classes: "natural" as they are, or "balanced": as many rows of each, where there are labels.
        ceiling: the accuracy that could be reached; None for that of the default student on held-back labels.
        normalise: whether each row is brought to the same norm.
        search: the domains that a search is scored on, the first when there are none; the others are held out.
    """

    classes: Balance = "natural"
    ceiling: float | None = None
    normalise: bool = True
    search: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise UsageError."""
        if self.classes not in get_args(Balance):
            raise UsageError(f"classes is {self.classes!r:.80}: say one of {', '.join(get_args(Balance))}")
        number = isinstance(self.ceiling, Real) and not isinstance(self.ceiling, bool) and 0 < self.ceiling <= 1
        if self.ceiling is not None and not number:
            raise UsageError(f"ceiling is {self.ceiling!r:.80}: it is an accuracy, a number above 0 and up to 1, or None")
        if not isinstance(self.normalise, bool):
            raise UsageError(f"normalise is {self.normalise!r:.80}: say True or False")


def options_of(kind: type[Options], options: Mapping[str, Any]) -> Options:
    """Return options of a kind. Raises UsageError, naming the first that it does not have."""
    names = [field.name for field in fields(kind)]
    wrong = next((name for name in options if name not in names), None)
    if wrong is not None:
        raise UsageError(f"the task has no option {wrong!r:.80}: it has {', '.join(names)}")
    return kind(**options)


def from_folder(folder: Path, options: Mapping[str, Any] = NONE, name: str = NAME) -> Task:
    """Return the task of a folder that holds one folder a domain. Raises UsageError with what is wrong with the files.

    `options` are those of DataOptions. Its name holds a digest of the files, so that other data is another
    task, and its version one of the options.
    """
    chosen, folder = options_of(DataOptions, options), folder.expanduser().resolve()
    domains, digests = pool.domains_of(folder), pool.digests(folder)
    unknown = [domain for domain in chosen.search if domain not in domains]
    if unknown:
        raise UsageError(f"{folder} has no domain {unknown[0]!r}: the domains are {', '.join(domains)}")
    search = chosen.search or domains[:1]
    pools = {domain: pool.load(folder / domain) for domain in domains}
    floor, ceiling = _anchors(pools.values(), chosen.ceiling)
    settings = json.dumps([chosen.classes, chosen.ceiling, chosen.normalise]).encode()
    return Task(
        name=f"{name}-{_short(json.dumps(digests, sort_keys=True).encode())}",
        version=f"{VERSION}-{_short(settings)}",
        brief=_brief(chosen, floor, ceiling),
        facts={domain: _fact(found) for domain, found in pools.items()},
        search_domains=search,
        held_out_domains=tuple(domain for domain in domains if domain not in search),
        margin=MARGIN,
        contract=replace(PROBABILITIES, words=_words(floor, ceiling)),
        least_instances=4,
        grammar=GRAMMAR,
        source="fitness.tasks.data.source:DataSource",
        options={**asdict(chosen), "folder": str(folder), "files": digests},
    )


def from_arrays(
    domain: str, arrays: tuple[Any, Any], held_out: Mapping[str, Any] | None, folder: Path, options: Mapping[str, Any] = NONE
) -> Task:
    """Return the task of named arrays, training and test ones of the domain that is searched on, and of held-out ones.

    They are written into a folder, named after a digest of theirs, because instances are drawn in another process. Raises
    UsageError for what is missing, misshapen, not finite, or fails a check, before anything is written.
    """
    chosen, digest = options_of(DataOptions, options), hashlib.sha256()
    ceiling = None if chosen.ceiling is None else float(chosen.ceiling)
    found = {name: _taken(name, pair, ceiling, chosen.normalise) for name, pair in _named(domain, arrays, held_out)}
    for name, pair in found.items():
        for stem, given in zip(STEMS, pair):
            for key in sorted(given):
                value = np.ascontiguousarray(given[key])
                digest.update(f"{name} {stem} {key} {value.dtype} {value.shape} ".encode() + value.tobytes())
    place = folder / digest.hexdigest()[:16]
    for name, pair in found.items():
        (place / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for stem, given in zip(STEMS, pair):
            np.savez(place / name / f"{stem}.npz", **given)  # type: ignore[arg-type]  # numpy takes arrays by name
    return from_folder(place, {**options, "ceiling": ceiling, "search": (domain,)})


def _named(domain: str, arrays: Any, held_out: Any) -> Sequence[tuple[str, Any]]:
    """Return the domains, each with its arrays. Raises UsageError."""
    if held_out is not None and not isinstance(held_out, Mapping):
        raise UsageError(f"held_out is of type {type(held_out).__name__}: hand over (train, test) by the domain's name")
    found = [(domain, arrays), *(held_out or {}).items()]
    for name, _ in found:
        pool.check_name(name, repr(name))
    if domain in (held_out or {}):
        raise UsageError(f"held_out holds the domain {domain!r}, which is searched on: give one of them another name")
    return found


def _taken(domain: str, pair: Any, ceiling: float | None, normalise: bool) -> tuple[Arrays, Arrays]:
    """Return the training and the test arrays of a domain, once they pass every check. Raises UsageError."""
    if not isinstance(pair, Sequence) or len(pair) != len(STEMS):
        raise UsageError(f"the domain {domain} is of type {type(pair).__name__}: hand over (train, test), arrays by name each")
    names = [f"{stem} of {domain}" for stem in STEMS]
    first, second = (taken(given, name) for given, name in zip(pair, names))
    train, test = aligned(first, second, *names)
    for name, sentence, passed in checks.check(pool.pool_of(train, test, *names), ceiling, normalise):
        if not passed:
            raise UsageError(f"{domain}: {name}: {sentence}")
    return train, test


def check(folder: Path, options: Mapping[str, Any] = NONE) -> Sequence[tuple[str, str, bool]]:
    """Return each check of each domain, by name, with a sentence, and whether it passed. Raises UsageError for bad files."""
    found, ceiling, normalise = [], options.get("ceiling"), options.get("normalise", True)
    for domain in pool.domains_of(folder):
        loaded = pool.load(folder / domain)
        checked = checks.check(loaded, ceiling, normalise)
        found += [(f"{domain}: {name}", sentence, passed) for name, sentence, passed in checked]
    return found


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Return which files of the data are others than before, as a list; "" when none are."""
    found = [f"{file} is new" for file in now.keys() - before.keys()]
    found += [f"{file} is gone" for file in before.keys() - now.keys()]
    found += [f"{file} has changed" for file in now.keys() & before.keys() if now[file] != before[file]]
    return ", ".join(sorted(found))


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]


def _anchors(pools: Collection[Pool], ceiling: float | None) -> tuple[str, str]:
    """Return what the floor and the ceiling are called."""
    floors = {STUDENT if found.teacher is None else PROBABILITIES.words.floor for found in pools}
    return " or ".join(sorted(floors)), TRUE if ceiling is None else f"an accuracy of {ceiling:g}"


def _words(floor: str, ceiling: str) -> Words:
    usual = PROBABILITIES.words
    if (floor, ceiling) == (usual.floor, TRUE):
        return usual
    formula = "The score is PGR, performance gap recovered: (transfer_acc - weak_acc) / (strong_acc - weak_acc)."
    scored = textwrap.fill(f"{formula} 0 is {floor}, 1 is {ceiling}, and a method can do worse than 0.", WIDTH)
    return replace(usual, floor=floor, ceiling=ceiling, scored=scored)


def _fact(found: Pool) -> str:
    pairs = None if found.pairs is None else len(found.pairs)
    return fact(len(found.train), len(found.test), found.train.shape[1], found.classes, pairs, drawn=False)


def _brief(options: DataOptions, floor: str, ceiling: str) -> str:
    return BRIEF.format(
        floor=floor,
        ceiling=ceiling,
        norms=", and each row has the same norm" if options.normalise else "",
        classes="balanced" if options.classes == "balanced" else "as common as they are in the data",
    )
