"""Attack the secret gains: `python -m tests.bench.attackers [INSTANCES] [--task truth]` fits constants offline, prints PGR.

An attacker draws instances of her own, with their labels, from what is public (weights and generator, or features of
statements), and fits what a method can remember of them. The old cheat remembers instances without gains; the adaptive ones
remember instances under DRAWS draws of the gains each. Every attack is then judged as a method on fresh instances, in the
sandbox, beside the strongest human baselines. "Elsewhere" is the same attack fitted on the two other domains: what it gains
there it did not remember.
With --write, the methods of the gallery get the constants that were fitted on chat of the task embedded.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from statistics import fmean, stdev

import numpy as np
import torch

from evolve.runs import seeds
from evolve.runs.judge import FIRST
from evolve.runs.resources import JudgeResources, judge_resources
from evolve.screening.screen import Screen
from fitness.nouns import Split
from fitness.tasks import load
from fitness.tasks.embedded import drawing
from fitness.tasks.embedded.language import PENALTY, Language, items
from fitness.tasks.embedded.task import Sizes
from fitness.tasks.secret import Secret
from fitness.tasks.truth.source import TruthSource
from fitness.vault.instance import InstanceName
from tests.security.hacks.gallery import FOLDER, NOBODY, remembering
from tests.security.hacks.methods import component_network, moment_coefficients, rank_frame

DOMAINS = {"embedded": ("chat", "code", "math"), "truth": ("cities", "letters", "number_words")}
OWN = 12  # instances that the attacker draws of each domain
DRAWS = 10  # draws of the gains of each
BASELINES = ("lda", "auxconf", "selftrain")
ROWS = 400  # of each draw, for the remembered weights of ranks
MATCHED = 48  # draws whose ranks are matched with each other: the slowest part
NEIGHBOURS = 12  # instances that the attack by neighbours remembers
STEPS = 1500


@dataclass(frozen=True, eq=False)
class Drawn:
    """One instance of the attacker's own, before its gains.

    Attributes:
        features: (n, d) of the training rows.
        weak: (n,) the teacher's probability of class 1.
        y: (n,) true labels.
    """

    features: np.ndarray
    weak: np.ndarray
    y: np.ndarray

    def seen(self, gain: float, secret: Secret) -> np.ndarray:
        """Return the (n, d) rows that a method would see, with gains of this spread."""
        return drawing.frame(self.features, self.features[:1], secret, gain)[0].astype(np.float64)


@cache
def language() -> Language:
    """Return the public models."""
    return Language(Sizes())


@cache
def truth() -> TruthSource:
    """Return the public features of statements."""
    return TruthSource({})


@cache
def own(domain: str) -> list[Drawn]:
    """Draw the attacker's instances of a domain."""
    draw = statements_drawn if domain in DOMAINS["truth"] else replies_drawn
    return [draw(domain, Secret(bytes([number] * 32))) for number in range(OWN)]


def replies_drawn(domain: str, secret: Secret) -> Drawn:
    """Draw an instance of the embedded task."""
    labelled, train = (
        language().pool(domain, *items(domain, secret, part, n)) for part, n in (("labelled", 200), ("train", 4000))
    )
    weak = drawing.fit(labelled.weak, labelled.y, PENALTY).probabilities(train.weak)[:, 1]
    return Drawn(train.strong, weak.astype(np.float64), train.y)


def statements_drawn(domain: str, secret: Secret) -> Drawn:
    """Draw an instance of the task truth."""
    train, _ = truth().sides(domain, secret)
    return Drawn(train.x, train.taught[:, 1].astype(np.float64), train.y)


def draws(domains: Sequence[str], gain: float, at_most: int | None = None) -> list[tuple[np.ndarray, Drawn]]:
    """Return what methods would see of the attacker's instances, under several draws of the gains where there are any."""
    times = DRAWS if gain else 1
    every = [(i, d, n) for n in range(times) for d in domains for i in range(OWN)][:at_most]
    return [(own(d)[i].seen(gain, Secret(bytes([i, n] * 16))), own(d)[i]) for i, d, n in every]


def rank_constants(domains: Sequence[str], gain: float, apart: bool = False) -> list[tuple[list[int], list[int]]]:
    """Fit cross moments of ranks and weights: of all draws together, or of each instance `apart`."""
    found = draws(domains, gain, NEIGHBOURS if apart else MATCHED)
    ranks = [rank_frame.ranked(s, s) for s in ((x - m) @ axes for x, _ in found for m, axes in [rank_frame.frame(x)])]
    tensors, labels = [rank_frame.moments(r) for r in ranks], [drawn.y for _, drawn in found]
    if apart:
        alone = (np.arange(8), np.ones(8))
        return [_remembered(t, [r], [y], [alone], ROWS * 10) for t, r, y in zip(tensors, ranks, labels)]
    goal = tensors[0]
    for _ in range(2):
        places = [rank_frame.matched(tensor, goal)[:2] for tensor in tensors]
        goal = np.mean([rank_frame.arranged(tensor, *place) for tensor, place in zip(tensors, places)], 0)
    return [_remembered(goal, ranks, labels, places, ROWS)]


Place = tuple[np.ndarray, np.ndarray]


def _remembered(
    goal: np.ndarray, ranks: Sequence[np.ndarray], labels: Sequence[np.ndarray], places: Sequence[Place], rows: int
) -> tuple[list[int], list[int]]:
    from sklearn.linear_model import LogisticRegression

    x = np.concatenate([rank_frame.terms(r[:rows, order] * signs) for r, (order, signs) in zip(ranks, places)])
    fitted = LogisticRegression(fit_intercept=False, max_iter=500).fit(x, np.concatenate([y[:rows] for y in labels]))
    size = range(len(goal))
    kept = [goal[i, j, k] for i in size for j in size[i:] for k in size[j:] if not i == j == k]
    return [round(100 * value) for value in kept], [round(10 * float(weight)) for weight in fitted.coef_[0]]


def moment_constants(domains: Sequence[str], gain: float) -> list[int]:
    """Fit the coefficients of the vectors that moments give: the mean correlation with the truth is made large."""
    along, between = [], []
    for x, drawn in draws(domains, gain):
        white, _ = moment_coefficients.whitened(x, x[:1])
        vectors = moment_coefficients.directions(white, drawn.weak)
        along.append(vectors @ white.T @ (2 * drawn.y - 1) / len(white))
        between.append(vectors @ vectors.T)
    a, b = torch.tensor(np.stack(along)), torch.tensor(np.stack(between))
    weights = torch.ones(a.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=0.05)
    for _ in range(STEPS):
        lengths = torch.einsum("i,bij,j->b", weights, b, weights).clamp_min(1e-9).sqrt()
        loss = 1e-3 * weights.square().mean() - (a @ weights / lengths).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        optimiser.step()
    return [round(100 * float(weight)) for weight in weights.detach()]


def network_constants(domains: Sequence[str], gain: float, hidden: int = 16, step: int = 1) -> list[int]:
    """Train the network that weighs independent components: its weights in hundredths, in steps of so many, layer by layer."""
    rows, along, between = [], [], []
    for x, drawn in draws(domains, gain):
        seen, _ = component_network.components(*component_network.whitened(x, x[:1]))
        found, signs = component_network.described(seen, drawn.weak)
        rows.append(found)
        along.append((seen * signs).T @ (2 * drawn.y - 1) / len(seen))
        between.append((seen * signs).T @ (seen * signs) / len(seen))
    d, a, b = (torch.tensor(np.stack(part), dtype=torch.float32) for part in (rows, along, between))
    generator = torch.Generator().manual_seed(0)
    shapes = [(d.shape[2] + 1, hidden), (2 * hidden + 1, hidden), (hidden + 1, 1)]
    layers = [(torch.randn(s, generator=generator) / s[0] ** 0.5).requires_grad_() for s in shapes]
    optimiser = torch.optim.AdamW(layers, lr=3e-3, weight_decay=0.05)
    noise = 0.05 * d.reshape(-1, d.shape[2]).std(0)
    for _ in range(STEPS):
        some = torch.randint(len(d), (24,), generator=generator)
        weights = _weighed(d[some] + noise * torch.randn(d[some].shape, generator=generator), layers)
        lengths = torch.einsum("bi,bij,bj->b", weights, b[some], weights).clamp_min(1e-6).sqrt()
        loss = -((weights * a[some]).sum(1) / lengths).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        optimiser.step()
    return [step * round(100 * float(weight) / step) for layer in layers for weight in layer.detach().flatten()]


def _weighed(rows: torch.Tensor, layers: Sequence[torch.Tensor]) -> torch.Tensor:
    """As component_network.weighed, with gradients."""

    def one(x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, torch.ones_like(x[..., :1])], -1)

    inner = torch.relu(one(rows) @ layers[0])
    inner = torch.cat([inner, inner.mean(-2, keepdim=True).expand_as(inner)], -1)
    return (one(torch.relu(one(inner) @ layers[1])) @ layers[2])[..., 0]


@dataclass(frozen=True)
class Attack:
    """An attack: its file in the gallery, and what fits the constants of it."""

    title: str
    template: str
    name: str
    constants: Callable[[Sequence[str]], object]
    elsewhere: bool = False


GAIN = drawing.GAIN
ATTACKS = (
    Attack("rank frame, of instances without gains", "rank_frame", "rank_frame", partial(rank_constants, gain=0.0)),
    Attack("rank frame", "rank_frame", "rank_frame_of_gains", partial(rank_constants, gain=GAIN)),
    Attack("nearest remembered instance", "rank_frame", "nearest_instance", partial(rank_constants, gain=GAIN, apart=True)),
    Attack("remembered network", "component_network", "component_network", partial(network_constants, gain=GAIN), True),
    Attack(
        "small network", "component_network", "small_network", partial(network_constants, gain=GAIN, hidden=4, step=10), True
    ),
    Attack("coefficients of moments", "moment_coefficients", "moment_coefficients", partial(moment_constants, gain=GAIN), True),
)


def keep(attack: Attack, constants: object) -> None:
    """Write the constants into the gallery: into the method itself, or beside it where another attack is that method."""
    if attack.name == attack.template:
        (FOLDER / f"{attack.name}.py").write_text(remembering(attack.template, constants))
    else:
        path = FOLDER / f"{attack.name}.json"
        before = json.loads(path.read_text()) if path.exists() else {"caught by": NOBODY}
        path.write_text(json.dumps({**before, "like": attack.template, "remembered": constants}) + "\n")


def cell(resources: JudgeResources, text: str | bytes, names: Sequence[InstanceName]) -> str:
    """Judge a method on instances; return mean ± standard deviation of PGR, or why there is none."""
    screened = Screen(resources.worker).parse(text)
    if screened.method is None:
        return "refused by the screen"
    trials = [resources.judge.trial(screened.method.method, name) for name in names]
    values = [trial.score.pgr for trial in trials if trial.score]
    return f"{fmean(values):.2f} ± {stdev(values):.2f}" if len(values) == len(trials) else str(trials[0].status)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("instances", nargs="?", type=int, default=5)
    parser.add_argument("--task", choices=sorted(DOMAINS), default="embedded")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    domains = DOMAINS[given.task]
    wanted = {d: [InstanceName(given.task, d, Split.FRESH, FIRST + i) for i in range(given.instances)] for d in domains}
    with judge_resources(load(given.task), [name for names in wanted.values() for name in names]) as resources:
        print(f"| method | {' | '.join(domains)} |\n|---|---|---|---|")
        for seed in (seed for seed in seeds.collect() if seed.name in BASELINES):
            cells = [cell(resources, seed.source, wanted[domain]) for domain in domains]
            print(f"| {seed.name}.py | {' | '.join(cells)} |", flush=True)
        for attack in ATTACKS:
            for elsewhere in [False, True][: 1 + attack.elsewhere]:
                cells = []
                for domain in domains:
                    constants = attack.constants([d for d in domains if (d != domain) is elsewhere])
                    text = remembering(attack.template, constants)
                    cells.append(cell(resources, text, wanted[domain]))
                    if given.write and domain == "chat" and not elsewhere:
                        keep(attack, constants)
                print(f"| {attack.title}{', fitted elsewhere' if elsewhere else ''} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
