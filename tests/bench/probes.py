"""Measure the probes: `python -m tests.bench.probes ARCHIVE... [--gallery]` examines methods written in good faith, and cheats.

Every bred method of the archives that was judged OK, on --instances instances of each of --splits and --domains, quickly; with
--gallery every cheat that is for the probes, too. What is found goes into --store line by line, so that a run that was cut off
goes on, and `--table` only prints the tables of docs/probes.md from it. --probes limits the examination to some probes.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from archives.archive import Archive
from evolve.runs.resources import JudgeResources, judge_resources
from fitness.contracts.probabilities import PROBABILITIES
from fitness.nouns import Finding, Method, Split, Status
from fitness.probes import evidence
from fitness.probes.probes import chosen
from fitness.tasks import load
from fitness.vault.instance import InstanceName
from tests.security.hacks.gallery import CHEATS, EARLIER, method

HONEST, GALLERY = "honest", "gallery"
FOUND = ("probe", "verdict", "number", "threshold", "sentence")
CONFIDENCE = 0.95
Line = Mapping[str, object]


@dataclass(frozen=True)
class Subject:
    """A method under examination, what it is called, and whether it is a cheat."""

    kind: str
    name: str
    method: Method
    catcher: str = ""


def bred(path: Path) -> list[Subject]:
    """Return the methods of an archive that were bred and judged OK, once each."""
    archive = Archive.open(path)
    query = (
        "select m.id, m.name, m.source, m.nodes from methods m where m.origin = 'search' and exists "
        "(select 1 from evaluations e where e.method = m.id and e.split = 'dev' and e.status = 'OK') order by m.rowid"
    )
    rows = archive.rows(query)
    archive.close()
    return [
        Subject(HONEST, str(row["name"]), Method(str(row["id"]), str(row["source"]), int(str(row["nodes"])))) for row in rows
    ]


def cheats(resources: JudgeResources) -> list[Subject]:
    """Return the cheats of the gallery that the screen and the sandbox let through."""
    return [
        Subject(GALLERY, cheat.name, method(resources, cheat.source), cheat.catcher)
        for cheat in CHEATS
        if cheat.catcher not in EARLIER
    ]


def examined(
    resources: JudgeResources, subject: Subject, name: InstanceName, probes: tuple[str, ...] | None, thorough: bool
) -> Iterator[Line]:
    """Yield a line for the trial, and one for each finding on its instance."""
    resources.builder.wait_for(name)
    trial = resources.judge.trial(subject.method, name)
    about = {
        "kind": subject.kind, "method": subject.method.id, "name": subject.name, "catcher": subject.catcher,
        "split": name.split, "domain": name.domain, "instance": name.index, "thorough": thorough,
    }  # fmt: skip
    yield about | {"probe": "", "verdict": str(trial.status), "pgr": trial.score.pgr if trial.score else None}
    if trial.status is Status.OK:
        for finding in resources.judge.examine(subject.method, trial, thorough, probes):
            yield {**asdict(finding), **about}


def measure(wanted: argparse.Namespace, lines: list[Line]) -> None:
    """Examine what the store does not hold yet, and add it there."""
    task, done = load("embedded"), {_key(line) for line in lines}
    spots = [
        InstanceName(task.name, d, Split(s), i) for i in range(wanted.instances) for s in wanted.splits for d in wanted.domains
    ]
    shown = [InstanceName(task.name, "chat", Split.FRESH, i) for i in range(wanted.instances)]
    with judge_resources(task, [*spots, *(shown if wanted.gallery else [])]) as resources:
        hacks = cheats(resources) if wanted.gallery else []
        honest = {subject.method.id: subject for path in wanted.archives for subject in bred(path)}.values()
        todo = [(subject, spot, False) for spot in spots for subject in honest]
        todo += [(subject, spot, thorough) for spot in shown for thorough in (False, True) for subject in hacks]
        for subject, spot, thorough in todo:
            key = (subject.kind, subject.method.id, str(spot.split), spot.domain, spot.index, thorough)
            if key in done:
                continue
            with wanted.store.open("a") as file:
                for line in examined(resources, subject, spot, wanted.probes, thorough):
                    file.write(json.dumps(line, default=str) + "\n")


def _key(line: Line) -> tuple[object, ...]:
    return tuple(line[name] for name in ("kind", "method", "split", "domain", "instance", "thorough"))


def bound(alarms: int, examinations: int) -> float:
    """Return the upper end of the two-sided 95 % interval of a rate (Clopper & Pearson 1934)."""
    from scipy.stats import binomtest

    return float(binomtest(alarms, examinations).proportion_ci(CONFIDENCE, "exact").high)


def alarms(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the table of alarms: examinations that a probe failed, and methods that all of them together flag."""
    honest = [line for line in lines if line["kind"] == HONEST and line["verdict"] != "SKIPPED"]
    yield "| probe | examinations | alarms | rate, at most | methods | flagged | rate, at most |\n|---|---|---|---|---|---|---|"
    for probe in chosen(PROBABILITIES):
        said = [line for line in honest if line["probe"] == probe.name]
        by_method = defaultdict[object, list[Finding]](list)
        for line in said:
            by_method[line["method"]].append(Finding(**{field: line[field] for field in FOUND}))
        if not said:
            continue
        failed = sum(line["verdict"] == "FAILED" for line in said)
        flagged = sum(evidence.flagged(probe.name, findings) for findings in by_method.values())
        rates = bound(failed, len(said)), bound(flagged, len(by_method))
        yield f"| {probe.name} | {len(said)} | {failed} | {rates[0]:.3f} | {len(by_method)} | {flagged} | {rates[1]:.3f} |"


def caught(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the table of the gallery: what a cheat gains, and on how many instances it is caught."""
    yield "| cheat | PGR on chat | its probe | flagged, quick | by its probe, thorough |\n|---|---|---|---|---|"
    found = defaultdict[object, list[Line]](list)
    for line in lines:
        if line["kind"] == GALLERY:
            found[line["name"]].append(line)
    for name, told in sorted(found.items(), key=lambda item: str(item[0])):
        catcher = told[0]["catcher"]
        pgrs = [
            float(str(line["pgr"])) for line in told if not line["probe"] and not line["thorough"] and line["pgr"] is not None
        ]
        gain = f"{sum(pgrs) / len(pgrs):.2f} ({min(pgrs):.2f} to {max(pgrs):.2f})" if pgrs else str(told[0]["verdict"])
        quick, thorough = (_spots(told, way) for way in (False, True))
        any_probe = len({line["instance"] for line in told if line["verdict"] == "FAILED" and not line["thorough"]})
        its_own = len({x["instance"] for x in told if x["verdict"] == "FAILED" and x["thorough"] and x["probe"] == catcher})
        yield f"| {name} | {gain} | {catcher} | {any_probe}/{quick} | {its_own}/{thorough} |"


def _spots(lines: Sequence[Line], thorough: bool) -> int:
    return len({line["instance"] for line in lines if line["thorough"] == thorough})


def main() -> None:
    """Measure, unless only the tables are asked for, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archives", nargs="*", type=Path)
    parser.add_argument("--instances", type=int, default=3)
    parser.add_argument("--splits", nargs="+", default=["dev", "fresh"])
    parser.add_argument("--domains", nargs="+", default=["chat", "code_deceptive"])
    parser.add_argument("--probes", nargs="+", type=str)
    parser.add_argument("--gallery", action="store_true")
    parser.add_argument("--store", type=Path, default=Path("probes.jsonl"))
    parser.add_argument("--table", action="store_true")
    wanted = parser.parse_args()
    wanted.probes = tuple(wanted.probes) if wanted.probes else None
    if not wanted.table:
        measure(wanted, stored(wanted.store))
    lines = stored(wanted.store)
    for line in lines:
        if line["kind"] == HONEST and line["verdict"] == "FAILED":
            print(f"{line['name']} on {line['split']} {line['domain']} {line['instance']}: {line['probe']}: {line['sentence']}")
    print("\n".join(["", *alarms(lines), "", *caught(lines)]))


def stored(path: Path) -> list[Line]:
    """Return what the store holds."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    main()
