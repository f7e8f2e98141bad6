"""Fix the edges of the grid: `python -m tests.bench.edges RUN.db` reads the seeds and the first 200 children of a run.

Writes what it read to edges.json beside this file and prints the edges that follow from it: the 2 % and 98 % quantiles,
rounded outwards to a step. The edges in fitness/tasks/embedded/task.py are these (tests/fitness/test_edges.py).
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from archives.archive import Archive

DATA = Path(__file__).with_name("edges.json")
CHILDREN = 200
STEPS = {"teacher_agreement": 0.02, "size": 0.5}

Row = Mapping[str, float | str]


def read(path: Path) -> list[Row]:
    """Return measures and mean dev PGR of the seeds and the first 200 children of a run."""
    archive = Archive.open(path)
    query = (
        "select m.name, m.origin, e.measures, e.pgr from evaluations e join methods m on m.id = e.method "
        "where e.split = 'dev' and e.status = 'OK' and m.origin = ? order by e.id limit ?"
    )
    rows: list[Row] = []
    for origin, limit in (("seed", -1), ("search", CHILDREN)):
        for row in archive.rows(query, [origin, limit]):
            measures = {name: round(value, 4) for name, value in json.loads(str(row["measures"])).items()}
            rows.append({"name": str(row["name"]), "origin": origin, "pgr": round(float(str(row["pgr"])), 4), **measures})
    archive.close()
    return rows


def edges(rows: Sequence[Row], name: str) -> tuple[float, float]:
    """Return the edges of a measure: its 2 % and 98 % quantiles, rounded outwards to the measure's step."""
    values = sorted(float(row[name]) for row in rows)
    low, high = values[int(0.02 * len(values))], values[math.ceil(0.98 * len(values)) - 1]
    step = STEPS[name]
    return round(math.floor(low / step + 1e-9) * step, 6), round(math.ceil(high / step - 1e-9) * step, 6)


def main() -> None:
    """Write the data and print the edges."""
    rows = read(Path(sys.argv[1]))
    DATA.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    for name in STEPS:
        print(name, *edges(rows, name))


if __name__ == "__main__":
    main()
