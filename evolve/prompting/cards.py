"""Makes feedback cards: all that a prompt, an agent or `show --card` may tell of a method's dev scores, every number on a grid.

A card is a function of the archive alone: whoever reads it again reads the same. What it can tell of labels is bounded by the
number of cards there are (`bits`); agreement, confidence and shares of classes need no label, and count for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Literal

from archives.archive import Archive
from archives.nouns import MethodRecord
from evolve.nouns import PACE
from evolve.text import LINE, count, printable_line
from fitness.nouns import Evaluation, Score, Split, Status, Trial
from fitness.pgr import interval, paired_interval

STEPS = 20  # in which a PGR of 1, or a share of 1, is told: .05 each
LOWEST, HIGHEST = -1.0, 1.0  # what lies beyond is told as the end that it lies beyond
EXACT = 1000  # steps of a card that is not rounded
SLOW = 1.5  # times as long as a plain method: what takes less is no slower

Against = Literal["better", "worse", "not told apart"]


@dataclass(frozen=True)
class DomainCard:
    """What is told of a method on one search domain.

    Attributes:
        instances: how many it was judged on.
        pgr: the mean; `low`, `high`: its 90 % interval, None of too few instances.
        against: how it compares with its first parent on the same instances, None without one; `by`: the mean difference.
        errors: what kind of errors it makes, by name.
        behaviour: what its answers are like, by name; no label is needed for these.
    """

    domain: str
    instances: int
    pgr: float
    low: float | None
    high: float | None
    against: Against | None
    by: float | None
    errors: dict[str, float]
    behaviour: dict[str, float]


@dataclass(frozen=True)
class Card:
    """What is told of a method.

    Attributes:
        method: its id; `name`: a seed's name, or a short id.
        status: how its evaluation ended; `problem`: why it failed, or where the race stopped it, "" for neither.
        slower: how many times as long as a plain method it takes, in powers of two; 1 where it is no slower.
        domains: one for each search domain that it has scores on.
    """

    method: str
    name: str
    status: Status
    problem: str
    slower: int
    domains: tuple[DomainCard, ...]


def rounded(value: float, steps: int, times: int = 1) -> float:
    """Return a number on a grid of so many steps to 1, between the ends, or `times` as far."""
    return round(min(max(value, times * LOWEST), times * HIGHEST) * steps) / steps + 0.0


def where_stopped(message: str) -> str:
    """Return where the race stopped a method, without the exact gap that stands behind it."""
    return message.partition(":")[0]


def bits(errors: int) -> float:
    """Return the bits that a card can carry about the labels of a domain: log2 of the number of different ones.

    The PGR and the two ends of its interval each stand on the grid from LOWEST to HIGHEST; against the parent there is one of
    "better" or "worse" by what stands on that grid, "not told apart" by so much, or nothing; each of `errors` is a share.
    """
    grid = round((HIGHEST - LOWEST) * STEPS) + 1
    against = 3 * (2 * grid - 1) + 1  # the difference of two PGRs lies within twice the width
    return math.log2(grid * (grid + 1) ** 2 * against * (STEPS + 2) ** errors)


class Cards:
    """The cards of a run's methods, made from its archive when they are first asked for."""

    def __init__(self, archive: Archive, domains: Sequence[str], *, exact: bool = False) -> None:
        """Make cards of these search domains, on the grid or unrounded."""
        self._archive, self._domains = archive, tuple(domains)
        self._steps = EXACT if exact else STEPS
        self._known: dict[str, Card] = {}
        self._plain: float | None = None

    def card(self, method: MethodRecord, parent: str | None) -> Card | None:
        """Return a method's card, against its first parent; None while it has not been judged."""
        if method.id not in self._known:
            made = self._made(method, parent)
            if made is None:
                return None
            self._known[method.id] = made
        return self._known[method.id]

    def _made(self, method: MethodRecord, parent: str | None) -> Card | None:
        rows = self._archive.evaluations(Split.DEV, method.id)
        if not rows:
            return None
        status = Status(str(rows[-1]["status"]))
        if status is Status.LOST:
            return None
        trials, before = self._trials(method.id), self._trials(parent) if parent else []
        return self._card(method.id, method.name, status, str(rows[-1]["message"]), trials, before)

    def _card(
        self, method: str, name: str, status: Status, message: str, trials: Sequence[Trial], before: Sequence[Trial]
    ) -> Card:
        """Return the card of what was judged, against the trials of a parent."""
        told = [self._told(domain, trials, before) for domain in self._domains] if status is Status.OK else []
        problem = where_stopped(message) if status is Status.OK and self._steps != EXACT else message
        return Card(method, name, status, problem, self._slower(trials), tuple(d for d in told if d is not None))

    def variants(self, parent: str) -> Callable[[Evaluation], Card]:
        """Return what makes the card of a variant of a method, against that; it reads no archive."""
        before = self._trials(parent)
        self._slower(before)

        def made(found: Evaluation) -> Card:
            trials = [trial for trial in found.trials if trial.status is Status.OK]
            return self._card("", "", found.status, found.message, trials, before)

        return made

    def _trials(self, method: str) -> list[Trial]:
        found = self._archive.trials(method, Split.DEV, "+".join(self._domains))
        return [trial for trial in found if trial.status is Status.OK]

    def _told(self, domain: str, trials: Sequence[Trial], before: Sequence[Trial]) -> DomainCard | None:
        here = [trial for trial in trials if trial.domain == domain]
        if not here:
            return None
        found = interval(_scores(here))
        theirs = {trial.instance: trial for trial in before if trial.domain == domain}
        same = [(trial, theirs[trial.instance]) for trial in here if trial.instance in theirs]
        against: Against | None = None
        by = None
        if same:
            difference = paired_interval(*map(_scores, zip(*same)))
            against = "better" if difference.low > 0 else "worse" if difference.high < 0 else "not told apart"
            by = rounded(difference.mean, self._steps, 2)
        low, high = (None if end is None else rounded(end, self._steps) for end in found.ends)
        errors, behaviour = self._means([t.errors for t in here]), self._means([t.measures for t in here])
        return DomainCard(domain, len(here), rounded(found.mean, self._steps), low, high, against, by, errors, behaviour)

    def _means(self, told: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """Return the mean of each share over the trials that have it."""
        names = dict.fromkeys(name for one in told for name in one)
        return {name: rounded(fmean(one[name] for one in told if name in one), self._steps) for name in names}

    def _slower(self, trials: Sequence[Trial]) -> int:
        if self._plain is None:
            seeds = (self._trials(method.id) for method in self._archive.methods("origin = 'seed'"))
            self._plain = median([fmean(trial.seconds for trial in found) for found in seeds if found] or [math.inf])
        times = fmean(trial.seconds for trial in trials) / self._plain if trials and self._plain > 0 else 1.0
        return 1 if times < SLOW else 2 ** round(math.log2(times))


def _scores(trials: Sequence[Trial]) -> list[Score]:
    return [trial.score for trial in trials if trial.score is not None]


def told(card: Card) -> str:
    """Return a card as a prompt and `show --card` print it: a line for each search domain, and what else there is to say."""
    lines = [_line(place, domain) for place, domain in zip(_places(card), card.domains)]
    if card.status is not Status.OK:
        lines.append(f"{card.status}: {printable_line(card.problem, 2 * LINE) or 'no reason known'}")
    elif card.problem:
        lines.append(printable_line(card.problem))
    pace = [f"{PACE}{card.slower} times as long as a plain method"] if card.slower > 1 else []
    return "\n".join([*(f"- {line}" for line in lines), *pace])


def noted(trials: Sequence[Trial]) -> str:
    """Return the numbers that a method noted, as a line: means over its trials; they say nothing of labels."""
    names = dict.fromkeys(name for trial in trials for name in trial.notes)
    means = [(name, fmean(trial.notes[name] for trial in trials if name in trial.notes)) for name in names]
    return f"- noted: {', '.join(f'{printable_line(name, 60)} {mean:.4g}' for name, mean in means)}" if means else ""


def line(card: Card) -> str:
    """Return the scores of a card in one line; "" where it has none."""
    scores = zip(_places(card), card.domains)
    return ", ".join(f"{place}PGR {domain.pgr:.2f}{_in_brackets(domain)}" for place, domain in scores)


def behind(card: Card, other: Card) -> float:
    """Return by how much the mean PGR of one card is below another's: of what both tell already, so it tells no more."""
    return fmean(domain.pgr for domain in other.domains) - fmean(domain.pgr for domain in card.domains)


def _places(card: Card) -> list[str]:
    """Number the domains, and only where there are several: a name could tell what is hard about one."""
    return [f"domain {n}: " for n in range(1, len(card.domains) + 1)] if len(card.domains) > 1 else [""]


def _line(place: str, domain: DomainCard) -> str:
    ends = f" [{domain.low:.2f}, {domain.high:.2f}]" if domain.low is not None and domain.high is not None else ""
    said = [f"{place}PGR {domain.pgr:.2f}{ends} on {count(domain.instances, 'instance')}{_against(domain)}"]
    shares = (f"{name.replace('_', ' ')} {share:.2f}" for name, share in (domain.errors | domain.behaviour).items())
    return "; ".join(filter(None, [*said, ", ".join(shares)]))


def _in_brackets(domain: DomainCard) -> str:
    if domain.against is None or domain.by is None:
        return ""
    return " (same)" if domain.against == "not told apart" else f" ({abs(domain.by):.2f} {domain.against})"


def _against(domain: DomainCard) -> str:
    if domain.against is None or domain.by is None:
        return ""
    if domain.against == "not told apart":
        return f", not told apart from its first parent ({domain.by:+.2f})"
    return f", {abs(domain.by):.2f} {domain.against} than its first parent on the same"
