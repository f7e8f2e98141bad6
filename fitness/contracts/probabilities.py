"""Defines the contract of weak-to-strong methods: from a weak teacher's labels to class probabilities for test examples.

It is plain data and arithmetic, and imports neither the vault nor the sandbox. Its other half lies behind the walls, where
nothing of ours may be imported but the folder itself: `sandbox/inside/runner.py` makes the `problem` and checks the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fitness import pgr
from fitness.nouns import Measure, Problem, Score

if TYPE_CHECKING:
    import numpy as np

LEAN = 1.0  # how much a trial's test rows lean to one side: log odds between the middle and an end


class Packing(NamedTuple):
    """What a method is handed of an instance in one trial.

    Attributes:
        arrays: by name; their rows are still in the instance's order.
        orders: the instance's row that stands at each place, (n,), for the arrays whose rows are to be moved.
    """

    arrays: Mapping[str, np.ndarray]
    orders: Mapping[str, np.ndarray]


class Marks(NamedTuple):
    """What one set of predictions is worth, and what it is like.

    Attributes:
        transfer_acc: accuracy on the truth.
        teacher_agreement: share of answers equal to the teacher's.
        confidence: mean probability of the answers.
        positive_rate: share of answers that are not class 0.
    """

    transfer_acc: float
    teacher_agreement: float
    confidence: float
    positive_rate: float


@dataclass(frozen=True)
class Probabilities:
    """The contract.

    Attributes:
        entry: the function that a method file defines; `parameter`: what it takes, and nothing else.
        arrays: the arrays of a problem, and their types; `optional` are those that an instance may lack.
        behaviour: what is measured of every trial's answers, beside the method's size.
        remembered: digits and bytes that a method may write down in collections, long numbers and texts, where it would
            have to keep what was learnt elsewhere.
        probes: the names of the probes that apply; one's own as `module:NAME` or `file.py:NAME`, from the task's own folder.
        measures, other_measures: axes of the grid for a task that names none; edges that any method lies between.
    """

    entry: str = "method"
    parameter: str = "problem"
    arrays: tuple[tuple[str, str], ...] = (
        ("train_x", "float32"), ("weak", "float32"), ("test_x", "float32"), ("pairs", "int64"),
    )  # fmt: skip
    optional: tuple[str, ...] = ("pairs",)
    behaviour: tuple[str, ...] = ("teacher_agreement", "confidence", "positive_rate")
    remembered: int = 512
    probes: tuple[str, ...] = ("determinism", "constant", "rows", "swap", "frame", "shuffle", "canary")
    measures: tuple[Measure, ...] = (Measure("teacher_agreement", 0.5, 1.0, 16), Measure("size", 7.0, 10.0, 6))
    other_measures: tuple[Measure, ...] = (Measure("confidence", 0.5, 1.0, 10), Measure("positive_rate", 0.0, 1.0, 10))

    @property
    def text(self) -> str:
        """The contract in words, as it stands in the system prompt."""
        return Path(__file__).with_suffix(".md").read_text(encoding="utf-8")

    @property
    def stub(self) -> str:
        """A method to begin with, which does what the plainest one does."""
        return Path(__file__).with_name("probabilities_stub.txt").read_text(encoding="utf-8")

    def pack(self, arrays: Mapping[str, np.ndarray], rng: Callable[[str], np.random.Generator]) -> Packing:
        """Choose the test rows of one trial, and put all rows into its order; `rng` returns the generator of a label."""
        train, test = rng("train").permutation(len(arrays["train_x"])), self.show(arrays["test_x"], rng("test"))
        given = dict(arrays)
        if "pairs" in given:
            given["pairs"] = rng("pairs").permutation(train.argsort()[given["pairs"]])
        return Packing(given, {"train_x": train, "weak": train, "test_x": test})

    def show(self, test_x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw which (n, d) test rows a method is shown at once, and their order.

        Their number differs, and so does the mixture, which leans to one side of a random projection. Trials are drawn so, and
        what a probe shows is: by number or mixture the two cannot be told apart.
        """
        import numpy as np  # here: every command looks at a task, and few draw

        along: np.ndarray = test_x @ rng.standard_normal(test_x.shape[1], np.float32)
        ranks = 2 * np.argsort(np.argsort(along, kind="stable")) / max(1, len(along) - 1) - 1
        count = int(rng.integers(-(-len(along) // 2), max(5 * len(along) // 6, 1), endpoint=True))
        keys = rng.gumbel(size=len(along)) + rng.uniform(-LEAN, LEAN) * ranks
        return rng.permutation(np.argsort(-keys)[:count])

    def shape(self, problem: Problem) -> tuple[int, int]:
        """Return the shape of the predictions for a problem: (n_test, n_classes)."""
        return len(problem.test_x), problem.n_classes

    def fault(self, predictions: np.ndarray) -> str:
        """Return why predictions of the right shape are no answer, as a sentence; nothing when they are one."""
        within = bool(((predictions >= 0) & (predictions <= 1)).all())  # NaN is neither
        return "" if within else "the predictions are not all finite numbers in [0, 1]"

    def score(self, marks: Marks, shape: tuple[int, int], floor: float, ceiling: float) -> Score:
        """Score predictions of a shape between the accuracies of the weak teacher and of the ceiling."""
        n_test, n_classes = shape
        agreement = marks.teacher_agreement if n_classes == 2 else None
        return pgr.score(marks.transfer_acc, floor, ceiling, n_test, agreement)


PROBABILITIES = Probabilities()
