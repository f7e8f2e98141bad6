"""Defines the task `scale`: does a method that was found with a small student still gain with a larger one?"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from fitness import assets
from fitness.nouns import Limits
from fitness.registry import UsageError
from fitness.tasks.embedded.grammar import GRAMMAR
from fitness.tasks.embedded.task import MEASURES, OTHER_MEASURES, Sizes
from fitness.tasks.task import Task, fact

NAME = "scale"
MODELS = ("1m", "5m", "20m")  # students, by about how many parameters they have; each is a domain
WEIGHTS = Path(assets.__file__).parent / "scale"
VARIABLE = "EVOLVE_SCALE_WEIGHTS"  # of the environment: a folder of one's own weights, which come before ours
WIDTH = 256  # features of the smallest student, whose sizes are told
VERSION = 1  # raise it whenever an instance would come out different

BRIEF = """\
Weak-to-strong generalisation (Burns et al. 2023) with strong students of several sizes: a weak teacher labels examples for a
strong student. The teacher is often wrong; the strong model's representation already contains the truth, mixed with much else.
A method must elicit that knowledge from the weak labels alone, and still do so where the student is larger.

The rows of train_x and test_x are centred and have norm 2. The axes mean nothing, and neither do the variances of directions:
each channel has a random gain, then comes a random rotation, new for each instance. There are no pairs. The number of features
grows with the student.

The two classes are balanced, in train and in test; train and test ask different questions. The teacher's errors are partly
systematic (it follows surface cues and its own ignorance), so imitating it perfectly scores about 0. A good method works on
students that it never sees, which know more. Answers may not depend on the order, number or company of the test rows.
"""
LIMITS = Limits(seconds=60.0)
SIZES = Sizes()


def scale(sizes: Sizes = SIZES, margin: float = 0.2, folder: str = "") -> Task:
    """Return the task with the sizes whose weights are there, at any number of examples (tests use few).

    `folder` holds weights of one's own, which come before those that are shipped. Its version is that of the code and a digest
    of settings and weights. Raises UsageError where the weights of the smallest student are missing.
    """
    files = weights(folder)
    if MODELS[0] not in files:
        raise UsageError(_missing(MODELS[0]))
    there = tuple(name for name in MODELS if name in files)
    settings = [asdict(sizes), margin, {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}]
    return Task(
        name=NAME,
        version=f"{VERSION}-{hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]}",
        brief=BRIEF,
        search_domains=there[:1],
        held_out_domains=there[1:],
        absent={name: _missing(name) for name in MODELS if name not in files},
        measures=MEASURES,
        other_measures=OTHER_MEASURES,
        limits=LIMITS,
        margin=margin,
        source="fitness.tasks.scale.source:ScaleSource",
        options={"sizes": asdict(sizes), "strong": {name: str(file) for name, file in files.items()}},
        facts={there[0]: fact(sizes.train, sizes.test, WIDTH)},
        grammar=GRAMMAR,
    )


def weights(folder: str = "") -> Mapping[str, Path]:
    """Return the files of the weights that are there, by the model's name: those of a folder first, then ours."""
    if folder and not Path(folder).is_dir():
        raise UsageError(f"{VARIABLE} names {folder}, which is no folder: name one with {MODELS[-1]}.safetensors or the like")
    places = [WEIGHTS, *([Path(folder).resolve()] if folder else [])]  # the later ones win
    files = [(name, place / f"{name}.safetensors") for place in places for name in MODELS]
    return {name: file for name, file in files if file.is_file()}


def _missing(name: str) -> str:
    steps = [f"scale/{name}"] if name == MODELS[0] else [f"scale/{name}-first", f"scale/{name}"]
    commands = " and then ".join(f"python -m fitness.assets.pretrain {step}" for step in steps)
    return (
        f"The weights of the student {name} of the task {NAME} are not there: train them with {commands}, or set {VARIABLE} to "
        f"a folder that holds {name}.safetensors."
    )


TASK = scale(folder=os.environ.get(VARIABLE, ""))
