"""Weighs what a probe found on several instances: one failure is evidence, most of several are a flag.

Honest methods fail by accident. One that learns by contrast-consistent search (Burns et al. 2023) prefers two false replies to
two true ones; on a domain whose teacher is misled this may tell it which side is true, rightly here and wrongly there, whatever
the labels say. So instances are looked at in every domain alike, and what a probe measured counts in the mean, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from fitness.nouns import Finding, Trial, Verdict

LEAST = 3  # instances that are looked at before a probe flags a method, where there are as many; as many of each domain
MOST = 5  # instances, for a finalist
HEAP = 0.4  # of PGR: an empty stretch as wide as this parts two heaps


def suspected(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return the probes that failed on some instance."""
    return tuple(dict.fromkeys(finding.probe for finding in findings if finding.verdict is Verdict.FAILED))


def weighed(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings; a failure on no more than half of the instances that a probe could judge is contested."""
    contested = {probe for probe in suspected(findings) if not flagged(probe, findings)}
    return tuple(
        replace(finding, verdict=Verdict.CONTESTED)
        if finding.probe in contested and finding.verdict is Verdict.FAILED
        else finding
        for finding in findings
    )


def flagged(probe: str, findings: Sequence[Finding]) -> bool:
    """Tell whether a probe fails on most of the instances that it could judge, and in the mean of what it measured there."""
    said = [finding for finding in findings if finding.probe == probe and finding.verdict is not Verdict.SKIPPED]
    failed = sum(finding.verdict is Verdict.FAILED for finding in said)
    beyond = sum((finding.number or 0.0) - (finding.threshold or 0.0) for finding in said)
    return 2 * failed > len(said) and beyond > 0


def balanced(trials: Sequence[Trial], least: int) -> list[Trial]:
    """Return the first trials of an order, at least so many where there are as many, and as many of each domain."""
    domains = dict.fromkeys(trial.domain for trial in trials)
    each = -(-least // max(1, len(domains)))
    places = {domain: [trial for trial in trials if trial.domain == domain][:each] for domain in domains}
    return [trial for trial in trials if trial in places[trial.domain]]


def sentences(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return what was seen of each probe that failed somewhere: on how many of the instances, and the first failure."""
    told = []
    against = [f for f in findings if f.verdict in (Verdict.FAILED, Verdict.CONTESTED)]
    for probe in dict.fromkeys(finding.probe for finding in against):
        failed = [finding for finding in against if finding.probe == probe]
        judged = [f for f in findings if f.probe == probe and f.verdict is not Verdict.SKIPPED]
        first = failed[0]
        where = f"{first.domain} {first.instance}: " if first.domain else ""
        told.append(f"{probe} failed on {len(failed)} of {len(judged)} instances ({where}{first.sentence})")
    return tuple(told)


def heaps(trials: Sequence[Trial]) -> tuple[list[Trial], list[Trial]]:
    """Part trials whose PGRs fall into two heaps, the better ones first; all of them are in the first when there is one heap.

    A method that cheats on some instances alone makes two heaps. So do honest ones: it is a reason to look, and no more.
    """
    order = sorted((trial for trial in trials if trial.score), key=lambda trial: -(trial.score.pgr if trial.score else 0.0))
    pgrs = [trial.score.pgr for trial in order if trial.score]
    gaps = [before - after for before, after in pairwise(pgrs)]
    if not gaps or max(gaps) < HEAP:
        return list(trials), []
    place = gaps.index(max(gaps)) + 1
    return order[:place], order[place:]
