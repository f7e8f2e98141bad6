"""Defines the embedded task: one tiny language model, four domains, and scikit-learn's digits. Nothing to download."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from fitness.nouns import Limits, Measure
from fitness.tasks.embedded.grammar import GRAMMAR
from fitness.tasks.task import Task, fact

WIDTH = 256  # features of a row on the domains of the language model
SEARCH = ("chat", "code_deceptive")
PAIRED = ("code_deceptive",)  # domains with pairs
VERSION = 7  # raise it whenever an instance would come out different

BRIEF = """\
Weak-to-strong generalisation (Burns et al. 2023): a weak teacher labels examples for a strong student. The teacher is often
wrong; the strong model's representation already contains the truth, mixed with much else. A method must elicit that knowledge
from the weak labels alone.

The rows of train_x and test_x are centred and have norm 2. The axes mean nothing, and neither do the variances of directions:
each channel has a random gain, then comes a random rotation, new for each instance. That exactly one example of a pair is of
class 1 is known without labels.

The two classes are balanced, in train and in test; train and test ask different questions. The teacher's errors are partly
systematic (it follows surface cues and its own ignorance), so imitating it perfectly scores about 0. A good method works on
every domain that it is scored on and on others that it never sees, where teacher and student have other accuracies, with pairs
and without. Answers may not depend on the order, number or company of the test rows.
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
        search_domains=SEARCH,
        held_out_domains=("math", "code", "digits"),
        measures=MEASURES,
        other_measures=OTHER_MEASURES,
        limits=LIMITS,
        margin=margin,
        source="fitness.tasks.embedded.source:EmbeddedSource",
        options=options,
        facts={
            domain: fact(sizes.train, sizes.test, WIDTH, pairs=sizes.pairs if domain in PAIRED else None) for domain in SEARCH
        },
        grammar=GRAMMAR,
    )


TASK = embedded()
