"""Draws instances of a task, the first of each domain twice, and compares."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np

from fitness.checks.result import CheckResult
from fitness.checks.sample import Sample
from fitness.nouns import EvolveError
from fitness.tasks import Task
from fitness.vault.builder import Builder
from fitness.vault.instance import InstanceName
from fitness.vault.vault import Vault

DRAWING = 120.0  # seconds that one instance may take to be drawn, where its task does not ask for more
NARROW = 1.25  # margins; where the drawn gaps are smaller in the mean, many draws must have been refused
Say = Callable[[str], None]


def drawn(task: Task, vault: Vault, names: Sequence[InstanceName], say: Say) -> list[CheckResult]:
    """Draw the instances, the first of each domain once more in another process, and compare."""
    first = list({name.domain: name for name in reversed(names)}.values())[::-1]
    patience = max(DRAWING, task.patience)
    say(f"drawing {_several(names)}")
    with tempfile.TemporaryDirectory() as home:
        twin = _twin(vault, Path(home))
        try:
            with Builder(vault, task) as builder, Builder(twin, task) as again:
                builder.start(names)
                again.start(first)
                for wanted, one in ((names, builder), (first, again)):
                    for name in wanted:
                        one.wait_for(name, patience)
        except TimeoutError:
            slow = f"draw() takes more than {patience:.0f} s for an instance of {name.domain}, and a search needs dozens"
            return [CheckResult("draw", False, f"{slow}: make what does not depend on rng once, in a file")]
        except EvolveError as error:
            return [CheckResult("draw", False, str(error))]
        differ = {name.domain: array for name in first for array in _different(task, vault, twin, name)}
    if differ:
        domain, array = next(iter(differ.items()))
        said = (
            f"two draws of one instance of {domain} differ in {array}: take everything random from rng, and no order of a set"
        )
        return [CheckResult("draw", False, said)]
    told = f"{_several(names)} drawn as declared; the same key draws the same bytes in another process"
    return [CheckResult("draw", True, told), anchors([sample_of(task, vault, name) for name in names])]


def _several(names: Sequence[InstanceName]) -> str:
    return f"{len(names)} instance{'s' * (len(names) > 1)}"


def _twin(vault: Vault, home: Path) -> Vault:
    """Return an empty vault with the same key."""
    (home / "vault").mkdir(mode=0o700)
    shutil.copy(vault.folder / "key", home / "vault" / "key")
    return Vault(home)


def _different(task: Task, vault: Vault, twin: Vault, name: InstanceName) -> Iterator[str]:
    """Yield what differs between an instance and the same one in another vault."""
    one, other = vault.load(task, name), twin.load(task, name)
    for kind, ours, theirs in (
        ("public", vault.arrays(one), twin.arrays(other)),
        ("private", one.private, other.private),
    ):
        for array in ours.keys() | theirs.keys():
            if array not in ours or array not in theirs or _bytes(ours[array]) != _bytes(theirs[array]):
                yield f"the {kind} array {array}"
    if (one.floor, one.ceiling) != (other.floor, other.ceiling):
        yield "floor or ceiling"


def _bytes(array: object) -> tuple[object, bytes]:
    found = np.asarray(array)
    return found.shape, found.tobytes()


def anchors(samples: Sequence[Sample]) -> CheckResult:
    """Say where floors and ceilings lie, and whether they lie so near that many draws are refused."""
    domains = dict.fromkeys(sample.domain for sample in samples)
    words = []
    for domain in domains:
        found = [sample.instance for sample in samples if sample.domain == domain]
        words.append(f"{domain} {fmean(i.floor for i in found):.3f} to {fmean(i.ceiling for i in found):.3f}")
    told = f"floor and ceiling: {', '.join(words)}"
    margin = samples[0].task.margin
    for domain in domains:
        gap = fmean(s.instance.ceiling - s.instance.floor for s in samples if s.domain == domain)
        if gap < NARROW * margin:
            why = f"the gap of {domain} is {gap:.3f} in the mean, and a draw with less than {margin:g} is refused"
            return CheckResult("anchors", False, f"{told}; {why}: a search would not get its instances")
    return CheckResult("anchors", True, told)


def sample_of(task: Task, vault: Vault, name: InstanceName) -> Sample:
    """Return an instance as the checks see it."""
    instance = vault.load(task, name)
    return Sample(task, instance, vault.arrays(instance))
