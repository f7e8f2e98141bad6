"""The published studies: `python -m tests.bench.results [STUDY...]` runs them and writes docs/results.md and README's table.

A study lies in runs/results/ and goes on where it was stopped; what came of it is kept as docs/results/STUDY.json. `--write`
runs nothing and writes the tables again from those files: each stands between `<!-- STUDY: KIND -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "docs" / "results"
DOCUMENTS = (ROOT / "docs" / "results.md", ROOT / "README.md")
STUDIES = {
    "all-30": ("--strategies", "all", "--repeats", "3", "--evals", "30"),
    "all-300": ("--strategies", "all", "--repeats", "5", "--evals", "300"),
    "best-1000": ("--strategies", "map-elites,islands,hillclimb", "--repeats", "5", "--evals", "1000"),
}
HOLD_OUTS = {
    f"without-{name}": ("--strategies", "map-elites", "--repeats", "1", "--evals", "30", "--hold-out", name)
    for name in sorted(path.stem for path in (ROOT / "seeds").glob("*.py"))
}
CLOCKS = ("seconds", "path")
BLOCK = re.compile(r"(<!-- (\S+): (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

Study = Mapping[str, Any]


def command(study: str) -> list[str]:
    """Return the command line of a study, from `compare` on."""
    return ["compare", *(STUDIES | HOLD_OUTS)[study], "--out", f"runs/results/{study}"]


def run(study: str) -> None:
    """Run a study, or what is left of it, and keep what came of it."""
    print(f"{study}: python -m evolve {' '.join(command(study))}", flush=True)
    subprocess.run([sys.executable, "-m", "evolve", *command(study)], cwd=ROOT, check=True)
    said = subprocess.run(
        [sys.executable, "-m", "evolve", *command(study), "--json"], cwd=ROOT, check=True, capture_output=True
    )
    found = json.loads(said.stdout)
    for one in (*found["strategies"], *found["searches"]):
        for name in CLOCKS:
            one.pop(name, None)
    KEPT.mkdir(exist_ok=True)
    (KEPT / f"{study}.json").write_text(json.dumps(found | {"folder": ""}, indent=1) + "\n", "utf-8")
    curves = ROOT / "runs" / "results" / study / "curves.png"
    if study in STUDIES and curves.exists():
        shutil.copy(curves, KEPT / f"{study}.png")


def known() -> dict[str, Study]:
    """Return every study that is kept, by name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(KEPT.glob("*.json"))}


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)) + "\n"


def reach(one: Mapping[str, Any]) -> list[str]:
    """Return what the answers of a strategy reach on fresh instances, and its interval."""
    return [f"{one['fresh_pgr']:.2f}", f"[{one['fresh_low']:.2f}, {one['fresh_high']:.2f}]"]


def strategies(study: Study) -> str:
    """Return the table of the strategies, the best first."""
    head = ["strategy", "fresh PGR", "90 % interval", "dev PGR", "AUC", "QD-score", "cells", "methods"]
    rows = [
        [
            f"`{one['strategy']}`", *reach(one), f"{one['dev']:.2f}", f"{one['auc']:.2f}", f"{one['qd_score']:.1f}",
            f"{one['behaviours']:.1f}", f"{one['evaluations']:.0f}",
        ]
        for one in study["strategies"]
    ]  # fmt: skip
    return table(head, rows)


def pairs(study: Study) -> str:
    """Return the probability that one strategy is better than another: row over column."""
    names = [one["strategy"] for one in study["strategies"]]
    chance = {(pair["better"], pair["than"]): f"{pair['probability']:.2f}" for pair in study["pairs"]}
    return table(
        ["better than", *(f"`{name}`" for name in names[1:])],
        [[f"`{one}`", *(chance.get((one, other), "") for other in names[1:])] for one in names[:-1]],
    )


def searches(study: Study) -> str:
    """Return the fresh PGR of each search's answer."""
    names = [one["strategy"] for one in study["strategies"]]
    found = {(one["strategy"], one["repeat"]): sum(one["fresh"]) / len(one["fresh"]) for one in study["searches"]}
    repeats = sorted({repeat for _, repeat in found})
    return table(
        ["strategy", *(f"search {repeat}" for repeat in repeats)],
        [[f"`{name}`", *(f"{found[name, repeat]:.2f}" for repeat in repeats)] for name in names],
    )


def short(study: Study) -> str:
    """Return README's table: what the answer of a search reaches, by strategy."""
    rows = [[one["strategy"], *reach(one)] for one in study["strategies"]]
    return table(["strategy", "fresh PGR", "90 % interval"], rows)


def rediscoveries(_: Study) -> str:
    """Return what became of each baseline that was held out."""
    found = [(name.removeprefix("without-"), one) for name, study in known().items() for one in study["rediscovery"]]
    return table(
        ["held out", "its PGR", "best of the rest", "answer", "distance", "nearest baseline", "found", "as good"],
        [
            [
                f"`{name}`", f"{one['baseline']:.2f}", f"{one['rest']:.2f}", f"{one['fresh']:.2f}", f"{one['distance']:.3f}",
                f"{one['usual']:.3f}", "yes" if one["found"] else "no", "yes" if one["better"] else "no",
            ]
            for name, one in found
        ],
    )  # fmt: skip


KINDS: dict[str, Callable[[Study], str]] = {
    "strategies": strategies,
    "pairs": pairs,
    "searches": searches,
    "short": short,
    "rediscoveries": rediscoveries,
}


def written(text: str) -> str:
    """Return a document with its tables as the kept studies have them."""
    studies = known()
    return BLOCK.sub(lambda block: block[1] + KINDS[block[3]](studies.get(block[2], {})) + block[4], text)


def main() -> None:
    """Run the studies that are named (all, when none is), and write the documents."""
    named = sys.argv[1:] or [*STUDIES, *HOLD_OUTS]
    for study in named if named != ["--write"] else ():
        run(study)
    for document in DOCUMENTS:
        document.write_text(written(document.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
