"""The embedded task before it was written on the general contract, and now: the same instances, problems, and scores.

`python -m tests.fitness.test_embedded_unchanged` writes what is compared. Sums are compared as other processors round them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evolve.screening.screen import Screen
from evolve.screening.worker import WorkerProcess
from fitness.judge import Judge
from fitness.nouns import Split
from fitness.sandbox.sandbox import Sandbox
from fitness.tasks.embedded.task import Sizes, embedded
from fitness.tasks.task import SEEDS
from fitness.vault.builder import build, load
from fitness.vault.instance import InstanceName
from fitness.vault.vault import Vault

KEPT = Path(__file__).parent / "embedded_before.json"
TASK = embedded(Sizes(labelled=100, train=500, test=400), margin=0.05)
NAMES = [
    InstanceName(TASK.name, domain, Split.DEV, index) for domain in ("chat", "code_deceptive", "digits") for index in (0, 1)
]
METHODS = ("lda", "vanilla")
Arrays = dict[str, np.ndarray]


def described(arrays: Arrays) -> dict[str, Any]:
    """Return the type, shape and two sums of each array; the second one depends on where each number stands."""
    return {
        name: [str(a.dtype), list(a.shape), float(a.sum(dtype=float)), float(a.reshape(-1) @ np.sin(np.arange(a.size)))]
        for name, a in sorted(arrays.items())
    }


def measured(home: Path) -> Iterator[tuple[str, Any]]:
    """Yield what an instance holds, what two trials of it are handed, and what two methods score on it."""
    (home / "vault").mkdir(parents=True, mode=0o700)
    (home / "vault" / "key").write_bytes(bytes(range(32)))
    vault = Vault(home)
    build(vault, TASK, NAMES)
    with Sandbox() as sandbox, WorkerProcess() as worker:
        judge = Judge(TASK, vault, sandbox, partial(load, vault, TASK), threading.Event())
        methods = [Screen(worker).parse((SEEDS / f"{name}.py").read_bytes(), name).method for name in METHODS]
        for name in NAMES:
            instance = load(vault, TASK, name)
            yield f"{name}", described({**vault.arrays(instance), **instance.private})
            for draw in ("m" * 64, "n" * 64):
                problem, answers = vault.problem(instance, draw)
                yield f"{name} {draw[0]}", described(dict(problem.arrays))
                orders = b"".join(rows.astype(np.int64).tobytes() for _, rows in sorted(answers.rows.items()))
                yield f"{name} {draw[0]} orders", sha256(orders + str(problem.seed).encode()).hexdigest()
            for method in methods:
                assert method is not None
                trial = judge.trial(method.method, name)
                assert trial.score is not None
                yield f"{name} {method.name}", [*vars(trial.score).values(), *trial.measures.values()]


@pytest.mark.thorough
def test_instances_problems_and_scores_of_the_embedded_task_are_what_they_were(tmp_path: Path) -> None:
    before = json.loads(KEPT.read_text())
    now = json.loads(json.dumps(dict(measured(tmp_path / "home"))))
    assert now.keys() == before.keys()
    close: Callable[[Any], Any] = partial(pytest.approx, rel=1e-3, abs=0.02)
    for key, value in before.items():
        assert flat(now[key]) == close(flat(value)) if "orders" not in key else now[key] == value, key


def flat(value: Any) -> list[Any]:
    """Return the numbers in a nest of lists and tables, in order; names and types among them as numbers."""
    if isinstance(value, dict):
        return [number for key in sorted(value) for number in (*flat(key), *flat(value[key]))]
    if isinstance(value, list):
        return [number for one in value for number in flat(one)]
    return [int.from_bytes(value.encode(), "big") % 10**6] if isinstance(value, str) else [value]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        KEPT.write_text(json.dumps(dict(measured(Path(folder) / "home")), indent=0) + "\n")
