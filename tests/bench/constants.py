"""What tuning declared constants is worth: `python -m tests.bench.constants ARCHIVE... --store FILE`, some minutes a reply.

The replies are methods that models wrote in earlier searches, those within reach of their parent that took at most --seconds a
trial. Their prompts asked for no declarations, so these are made mechanically: up to six numbers with a name or a keyword,
drawn at random, each with a range from a quarter to four times its value. The operator `fit` tunes them on two dev instances of
each domain. As in a search, what came of it counts only where it is the better of the two on more dev instances. The reply, the
tuned one and the parent are judged on the same fresh instances. What was found goes into --store reply by reply, in an order
that is drawn, so that any beginning of it is a random sample; `--table` only prints what it holds.
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import operator as op
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, stdev

from archives.archive import Archive
from evolve.nouns import Brief, Exhibit, Experiment, Tools, Variant
from evolve.operators.offline.fit import Fit
from evolve.runs.resources import JudgeResources, judge_resources
from evolve.screening.screen import Screen
from evolve.search.restore import pgrs
from fitness.nouns import Direction, Method, Split, Status
from fitness.tasks import load
from fitness.vault.instance import InstanceName

DOMAINS = ("chat", "code_deceptive")
TRIED, JUDGED, FRESH = 2, 6, 4  # instances of each domain: variants are tried on, both are judged on, and all are at the end
REACH = 0.10  # how far behind its parent a reply may be
MOST, FACTOR = 6, 4.0
STRUCTURE = {"dim", "axis", "seed", "random_state", "n_classes", "correction", "ndigits"}
Line = Mapping[str, float]


@dataclass(frozen=True)
class Reply:
    """A method that a model wrote, and its first parent's source."""

    method: str
    source: str
    parent: str


def replies(path: Path, most: float) -> Iterator[Reply]:
    """Yield what models wrote in a search that was judged OK, is within reach of its parent, and took no longer a trial."""
    archive = Archive.open(path)
    sources = {method.id: method.source for method in archive.methods()}
    query = (
        "select e.method, avg(t.seconds) as seconds from trials t join evaluations e on e.id = t.evaluation group by e.method"
    )
    took = {str(row["method"]): float(str(row["seconds"])) for row in archive.rows(query)}
    for one in archive.proposals("model != '' and method is not null"):
        child, parent = str(one.method), one.parents[0]
        both = list(zip(pgrs(archive, child), pgrs(archive, parent)))
        if both and took[child] <= most and fmean(ours - theirs for ours, theirs in both) >= -REACH:
            yield Reply(child, sources[child], sources[parent])
    archive.close()


def declared(source: str, rng: random.Random) -> str:
    """Return a method with some of its numbers declared as tunable: those of assignments, and keywords, which get a name."""
    lines = source.split("\n")
    tree = ast.parse(source)
    places = [(node.value, "") for node in ast.walk(tree) if isinstance(node, ast.Assign) and node.lineno == node.end_lineno]
    places = [(value, name) for value, name in places if len([p for p in places if p[0].lineno == value.lineno]) == 1]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    places += [(k.value, k.arg) for call in calls for k in call.keywords if k.arg and k.arg not in STRUCTURE]
    fitting = [(node, name, node.value) for node, name in places if isinstance(node, ast.Constant) and tunable(node.value)]
    chosen = rng.sample(fitting, min(MOST, len(fitting)))
    new = []
    for number, (node, name, value) in enumerate(sorted(chosen, key=lambda one: -one[0].col_offset)):
        line, comment = lines[node.lineno - 1], f"  # tune: {span(value)}, log"
        if name:
            new.append(f"{name.upper()}_{number} = {value!r}{comment}")
            lines[node.lineno - 1] = f"{line[: node.col_offset]}{name.upper()}_{number}{line[node.end_col_offset :]}"
        elif len(line) == node.end_col_offset or line[node.end_col_offset or 0 :].strip().startswith("#"):
            lines[node.lineno - 1] = f"{line[: node.end_col_offset]}{comment}"
    after = max((node.end_lineno or 0 for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)), default=0)
    return "\n".join([*lines[:after], *new, *lines[after:]])


def tunable(value: object) -> bool:
    """Tell whether a number is likely to be a setting: a whole one above 2, or a positive fraction."""
    return (type(value) is int and 2 < value < 1e6) or (type(value) is float and 1e-6 < value < 1e6)


def span(value: float) -> str:
    """Return the range of a number, from a quarter of it to four times; what is a share stays one."""
    if isinstance(value, int):
        return f"{max(1, value // 4)} to {int(FACTOR * value)}"
    return f"{value / FACTOR:.6g} to {min(FACTOR * value, 0.99) if value < 0.99 else FACTOR * value:.6g}"


class Tries:
    """Tries variants on the first dev instances, as a search does."""

    instances = TRIED

    def __init__(self, resources: JudgeResources, screen: Screen) -> None:
        self._resources, self._screen, self.trials = resources, screen, 0
        self._pool = ThreadPoolExecutor(2)

    def run(self, variants: Sequence[Variant], race: bool = True) -> tuple[Experiment, ...]:
        """Try variants side by side."""
        return tuple(self._pool.map(self._tried, variants))

    def _tried(self, variant: Variant) -> Experiment:
        screened = self._screen.parse(variant.source)
        if screened.method is None:
            return Experiment(variant, None, screened.reason)
        found = self._resources.judge.evaluate(screened.method.method, names(Split.DEV, TRIED))
        self.trials += len(found.trials)
        return Experiment(variant, found, found.message)


def names(split: Split, count: int) -> list[InstanceName]:
    """Return the first instances of each domain."""
    return [InstanceName("embedded", domain, split, index) for index in range(count) for domain in DOMAINS]


def fitness(resources: JudgeResources, screen: Screen, source: str, split: Split = Split.FRESH, count: int = FRESH) -> float:
    """Return the mean PGR of a method on the first instances; NaN when it fails on one."""
    screened = screen.parse(source)
    if screened.method is None:
        return math.nan
    found = resources.judge.evaluate(screened.method.method, names(split, count))
    return found.pgr if found.status is Status.OK and found.pgr is not None else math.nan


def measured(resources: JudgeResources, screen: Screen, reply: Reply, seed: int) -> Line:
    """Return what a reply, its tuning and its parent are worth on fresh instances, and what the tuning took."""
    source, tries = declared(reply.source, random.Random(f"{seed}/{reply.method}")), Tries(resources, screen)
    brief = Brief(Direction("", "", ()), (Exhibit(Method("", source, 1), ""),))
    draft = Fit().propose(brief, Tools(resources.worker, experiments=tries), random.Random(f"{seed}/fit/{reply.method}"))
    print(f"{reply.method[:8]}  {draft.idea or draft.problem}", flush=True)
    with ThreadPoolExecutor(2) as pool:
        parent, plain = pool.map(lambda one: fitness(resources, screen, one), (reply.parent, source))
        if not draft.source:
            dev = fresh = math.nan
        else:
            judge = partial(fitness, resources, screen, split=Split.DEV, count=JUDGED)
            dev = -op.sub(*pool.map(judge, (source, draft.source)))
            fresh = fitness(resources, screen, draft.source)
    told = {"parent": parent, "plain": plain, "set": fresh, "dev": dev, "tuned": fresh if dev > 0 else plain}
    return told | {"trials": tries.trials, "changed": bool(draft.source)}


def table(found: Sequence[Line]) -> str:
    """Return what tuning came to, paired over replies, with 95 % intervals by Student's t."""
    whole = [one for one in found if not any(math.isnan(one[name]) for name in ("parent", "plain", "tuned"))]
    gains = {name: [max(0.0, one[name] - one["parent"]) for one in whole] for name in ("plain", "tuned")}
    other = [one for one in whole if one["changed"]]
    rows = {
        "fresh PGR, without": [one["plain"] for one in whole],
        "fresh PGR, tuned": [one["tuned"] for one in whole],
        "fresh PGR, tuned less without": [one["tuned"] - one["plain"] for one in whole],
        "the same where constants were set, better on dev or not": [one["set"] - one["plain"] for one in other],
        "gain over the parent a call, without": gains["plain"],
        "gain over the parent a call, tuned": gains["tuned"],
        "gain a call, tuned less without": [b - a for a, b in zip(gains["plain"], gains["tuned"])],
        "gain that tuning adds, a 100 trials of it": [
            100 * (b - a) / one["trials"] for a, b, one in zip(gains["plain"], gains["tuned"], whole)
        ],
    }
    better, trials = sum(one["dev"] > 0 for one in other), fmean(one["trials"] for one in whole)
    head = f"{len(whole)} replies ({len(found) - len(whole)} more failed); {len(other)} got other constants"
    head += f", {better} better on dev; {trials:.0f} trials a tuning\n\n| | mean | 95 % interval |\n|---|---|---|\n"
    return head + "\n".join(f"| {name} | {fmean(values):+.3f} | {around(values)} |" for name, values in rows.items())


def around(values: Sequence[float]) -> str:
    """Return the interval of a mean."""
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return f"{fmean(values) - half:+.3f} to {fmean(values) + half:+.3f}"


def measure(wanted: argparse.Namespace, found: list[dict[str, float]]) -> None:
    """Measure replies that the store does not hold yet, until there is no time left."""
    known = {one.method: one for path in wanted.archives for one in replies(path, wanted.seconds)}
    todo = sorted(known.values(), key=lambda one: random.Random(f"{wanted.seed}/{one.method}").random())
    print(f"{len(todo)} replies of models within reach of their parents", flush=True)
    end = time.monotonic() + 60 * wanted.minutes
    with judge_resources(load("embedded"), names(Split.DEV, JUDGED) + names(Split.FRESH, FRESH)) as resources:
        screen = Screen(resources.worker)
        for reply in todo[len(found) :]:
            if time.monotonic() > end:
                break
            line = dict(measured(resources, screen, reply, wanted.seed))
            found.append(line)
            with wanted.store.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(len(found), {name: round(value, 3) for name, value in line.items()}, flush=True)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archives", nargs="*", type=Path)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", action="store_true")
    wanted = parser.parse_args()
    found = [json.loads(line) for line in wanted.store.read_text().splitlines()] if wanted.store.exists() else []
    if not wanted.table:
        measure(wanted, found)
    print(table(found))


if __name__ == "__main__":
    main()
