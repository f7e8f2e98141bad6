"""Decides which scores a model may see, and keeps the ledger of everyone who saw one.

The engine selects on full scores. What a prompt shows of a method depends on the run's `disclosure`: its feedback card on a
grid ("card"), the answers of a Ladder for each search domain ("ladder"), or the card unrounded ("full"). Held-out domains are
never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from archives.archive import Archive
from archives.nouns import ExperimentRecord, Look, MethodRecord
from evolve.nouns import Exhibit
from evolve.prompting import ladders
from evolve.prompting.ablations import ablations, section
from evolve.prompting.cards import EXACT, STEPS, Card, Cards, behind, line, noted, told, where_stopped
from evolve.prompting.ladders import Ladders
from fitness.nouns import Evaluation, Split, Status

ENGINE = "engine"  # who selects, and who prints the final table
SELECTION = "selection on dev instances"
TRIED = "the experiments of proposal "  # how it begins why a model saw what became of its variants
PARTS = "the ablations of proposal "  # how it begins why a model saw what parts of a record are worth
DisclosureKind = Literal["card", "ladder", "full"]
Born = tuple[MethodRecord, str | None]  # a method, and its first parent


class _Answer(NamedTuple):
    """What the Ladder said of a method; None when it was not asked."""

    method: str
    lineage: str
    instances: int
    answer: float | None


class Lineages:
    """The seed that each method's first parents go back to, as the ledger has it, and the ledger's rows of scores seen."""

    def __init__(self, archive: Archive, domains: Sequence[str]) -> None:
        """Go on where the archive's ledger ends."""
        self._archive, self._domains = archive, tuple(domains)
        self._lineages: dict[str, str] = {}
        self._answers: dict[str, list[tuple[str, int, float]]] = {domain: [] for domain in domains}
        looks = "looks where who = ? and why = ? and domain = ? order by id"
        for domain in domains:
            for method, lineage, instances, answer in archive.each(_Answer, looks, [ENGINE, SELECTION, domain]):
                self._lineages[method] = lineage
                if answer is not None:
                    self._answers[domain].append((method, instances, answer))

    def ancestor_seed(self, method: str, parents: Sequence[str] = ()) -> str:
        """Return the seed that a method's first parents go back to: its own id for a seed."""
        if method not in self._lineages:
            self._lineages[method] = self._lineages.get(parents[0], parents[0]) if parents else method
        return self._lineages[method]


class Disclosure(Lineages):
    """What a prompt may show of each method, and a row in `looks` for every score that leaves the vault."""

    def __init__(self, archive: Archive, domains: Sequence[str], shares: bool = True, kind: DisclosureKind = "card") -> None:
        """Go on where the archive's ledger ends; `shares` tells whether Ladders are asked about values, or gaps recovered."""
        super().__init__(archive, domains)
        self._ladders = Ladders(archive, domains, shares) if kind == "ladder" else None
        self._cards = Cards(archive, domains, exact=kind == "full")
        self._steps = EXACT if kind == "full" else STEPS
        seen = archive.rows("select distinct who, why from looks where why like ?", [f"{PARTS}%"])
        self._parts_seen = {(str(row["who"]), str(row["why"])) for row in seen}
        if self._ladders:
            for domain, answers in self._answers.items():
                self._ladders.recall(domain, answers)

    def judged(self, evaluation: Evaluation, parents: Sequence[str] = ()) -> None:
        """Enter a dev evaluation in the ledger; one that is whole asks the Ladder of each search domain, where there is one."""
        method, lineage = evaluation.method, self.ancestor_seed(evaluation.method, parents)
        for domain in self._domains:
            trials = [trial for trial in evaluation.trials if trial.domain == domain]
            answer = self._ladders.ask(method, domain, trials) if self._ladders and evaluation.fitness is not None else None
            if trials:
                self._archive.look(Look(ENGINE, method, lineage, domain, Split.DEV, len(trials), SELECTION, answer))

    def exhibit(self, method: MethodRecord, parent: str | None = None) -> Exhibit:
        """Return a method as a brief shows it; of its scores only what the run discloses."""
        card = self._card(method, parent)
        return Exhibit(method.method, method.name, told(card) if card else "", self.line(method, parent))

    def line(self, method: MethodRecord, parent: str | None = None) -> str:
        """Return the scores that the run discloses of a method, in one line; "" for none."""
        if self._ladders:
            return ladders.told(self._ladders.scores(method.id))
        card = self._card(method, parent)
        return line(card) if card else ""

    def variants(self, parent: str) -> Callable[[Evaluation], str]:
        """Return what tells of variants of a method, each as its card and the numbers that it noted; from any thread."""
        if self._ladders:
            return lambda _: ""
        made = self._cards.variants(parent)
        return lambda found: "\n".join(filter(None, [told(made(found)), noted(found.trials)]))

    def parts(self, method: MethodRecord, experiments: Sequence[ExperimentRecord], record: bool) -> str:
        """Return what experiments say of a method's parts, as a section of a prompt; "" for nothing."""
        found = None if self._ladders else ablations(method.id, experiments, self._domains, self._steps)
        return section(found, method.name, record) if found and found.rows else ""

    def parts_prompted(self, model: str, proposal: int, method: str, experiments: Sequence[ExperimentRecord]) -> None:
        """Enter in the ledger that a model was shown the parts of a method, as a proposal tried them: once, however often."""
        why = f"{PARTS}{proposal}"
        if (model, why) in self._parts_seen:
            return
        self._parts_seen.add((model, why))
        found = ablations(method, experiments, self._domains)
        lineage, instances = self.ancestor_seed(method), found.instances if found else 0
        changed = [one.method for one in experiments if one.trials and one.method != method]
        self._archive.look(
            *(Look(model, one, lineage, domain, Split.DEV, instances, why) for one in changed for domain in self._domains)
        )

    def tried(self, model: str, proposal: int, records: Sequence[ExperimentRecord]) -> None:
        """Enter the experiments of a proposal in the ledger: what the engine saw of them, and the model, if it was asked."""
        why = f"{TRIED}{proposal}"
        seen = [(record, [t for t in record.trials if t.score]) for record in records]
        self._archive.look(
            *(
                Look(who, record.method, self.ancestor_seed(record.subject), domain, Split.DEV, len(here), why)
                for record, trials in seen
                for domain in self._domains
                if (here := [trial for trial in trials if trial.domain == domain])
                for who in filter(None, [ENGINE, model])
            )
        )

    def stopped(self, method: MethodRecord, parent: str | None = None) -> str:
        """Return where the race stopped a method, "" where it did not."""
        card = self._cards.card(method, parent)
        return where_stopped(card.problem) if card and card.status is Status.OK else ""

    def behind(self, method: Born, other: Born) -> float | None:
        """Return by how much a method's PGR is below another's, as far as their cards tell; None where there are none."""
        cards = [card for card in (self._card(*method), self._card(*other)) if card and card.domains]
        return behind(*cards) if len(cards) == 2 else None

    def better(self, method: MethodRecord, parent: str | None) -> bool:
        """Tell whether a method was shown to be better than its first parent, and nowhere to be worse."""
        if self._ladders:
            return any(score.raised for score in self._ladders.scores(method.id))
        card = self._card(method, parent)
        found = [domain.against for domain in card.domains] if card else []
        return "better" in found and "worse" not in found

    def prompted(self, model: str, proposal: int, methods: Sequence[tuple[MethodRecord, str | None]]) -> None:
        """Enter in the ledger what a model's prompt showed of methods, each with its first parent."""
        why = f"the brief of proposal {proposal}"
        self._archive.look(
            *(
                Look(model, method.id, self.ancestor_seed(method.id), domain, Split.DEV, instances, why, answer)
                for method, parent in methods
                for domain, instances, answer in self._seen(method, parent)
            )
        )

    def _seen(self, method: MethodRecord, parent: str | None) -> list[tuple[str, int, float]]:
        if self._ladders:
            return [(score.domain, score.instances, score.rung) for score in self._ladders.scores(method.id)]
        card = self._card(method, parent)
        return [(domain.domain, domain.instances, domain.pgr) for domain in card.domains] if card else []

    def _card(self, method: MethodRecord, parent: str | None) -> Card | None:
        return None if self._ladders else self._cards.card(method, parent)
