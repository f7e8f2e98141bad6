"""Defines the embedded task: one tiny language model, four domains, and scikit-learn's digits. Nothing to download."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from fitness.nouns import Limits, Measure
from fitness.tasks.embedded.grammar import GRAMMAR
from fitness.tasks.task import Task

VERSION = 7  # raise it whenever an instance would come out different

BRIEF = """\
Weak-to-strong generalisation (Burns et al. 2023): a weak teacher labels examples for a strong student. The teacher is often
wrong; the strong model's representation already contains the truth, mixed with much else. A method must elicit that knowledge
from the weak labels alone. It is scored by PGR, performance gap recovered:
    PGR = (transfer_acc - weak_acc) / (strong_acc - weak_acc)
0 is as good as the teacher, 1 is as good as the same student trained on true labels; below 0 is worse than the teacher.

A method is one Python file that defines `method(problem)` and returns the probabilities of class 1, shape (n_test,), or of all
classes, shape (n_test, n_classes): finite, in [0, 1].

    problem.train_x   (n_train, d) float32 tensor: the strong model's frozen representation of unlabelled examples. Centred;
                      each row has norm 2; the axes mean nothing, and neither do the variances of directions (each channel has
                      a random gain, then comes a random rotation, new for each instance). Here n_train is 4000, d is 256.
    problem.weak      (n_train, 2) float32 tensor: the weak teacher's probabilities for them.
    problem.test_x    (n_test, d) float32 tensor: examples to predict; how many differs, 1500 to 2500 here. Fitting on them is
                      not allowed.
    problem.pairs     None, or on domains where it is given, (p, 2) int64: p pairs of rows of train_x. Of the two examples of a
                      pair exactly one is of class 1, which is known without labels. Here p is 300.
    problem.seed      int: seed your generators with it. problem.n_classes: 2 on this task.
    problem.device    torch.device, the CPU or a GPU: where the tensors lie, and where yours should.
    problem.student   the default strong student, an MLP head: student.fit(x, targets, weights=None, *, epochs, lr, batch,
                      weight_decay, hidden, loss=None) -> predictor; targets (n,) or (n, n_classes), soft or hard;
                      loss(logits, targets, weights, step) -> scalar; predictor(x) -> (n, n_classes) probabilities.
                      Use it or train a head of your own on train_x.

The two classes are balanced, in train and in test; train and test ask different questions. The teacher's errors are partly
systematic (it follows surface cues and its own ignorance), so imitating it perfectly scores about 0. A good method works on
every domain that it is scored on and on others that it never sees, where teacher and student have other accuracies, with pairs
and without.

Allowed: torch, numpy, scipy, sklearn (not sklearn.datasets), the standard library's math; one process, one thread. Not allowed:
files, network, subprocesses, labels from anywhere else, constants fitted to this task's data, fitting on test_x, answers that
depend on the order, number or company of the test rows.
"""
LIMITS = Limits(seconds=30.0)
# On chat a perfect method agrees with the teacher on weak_acc of the rows (.56-.62), vanilla on .73, zero-shot on .52. Methods
# that recover over half of the gap lie between .57 and .63, so columns are narrow. Size is log2 of
# syntax nodes. The edges come from tests/bench/edges.py.
MEASURES = (
    Measure("teacher_agreement", 0.5, 0.76, 16),
    Measure("size", 7.0, 10.0, 6),
)
# How sure the answers are (baselines: .52 to .97), and how many are class 1 (baselines: .46 to .58; in truth half are).
OTHER_MEASURES = (
    Measure("confidence", 0.5, 1.0, 10),
    Measure("positive_rate", 0.4, 0.6, 8),
)


@dataclass(frozen=True)
class Sizes:
    """How many examples an instance has.

    Attributes:
        labelled: examples whose true labels the teacher is fitted on.
        train: unlabelled examples a method trains on.
        test: examples of which each trial shows some, and is scored on them.
    """

    labelled: int = 200
    train: int = 4000
    test: int = 3000

    @property
    def pairs(self) -> int:
        """Pairs of training examples, where a domain has them: 300 at the default size."""
        return 3 * self.train // 40


def embedded(sizes: Sizes = Sizes(), margin: float = 0.2) -> Task:
    """Return the task at any size (tests use tiny ones); its version is that of the code and a digest of the settings."""
    options = asdict(sizes)
    settings = json.dumps([options, margin], sort_keys=True).encode()
    return Task(
        name="embedded",
        version=f"{VERSION}-{hashlib.sha256(settings).hexdigest()[:8]}",
        brief=BRIEF,
        search_domains=("chat", "code_deceptive"),
        held_out_domains=("math", "code", "digits"),
        measures=MEASURES,
        other_measures=OTHER_MEASURES,
        limits=LIMITS,
        margin=margin,
        source="fitness.tasks.embedded.source:EmbeddedSource",
        options=options,
        grammar=GRAMMAR,
    )


TASK = embedded()
