"""What else a user has installed changes nothing behind the walls."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import numpy as np
import pytest
from small_problem import LIMITS

from fitness.contracts.contract import Problem
from fitness.nouns import Status
from fitness.sandbox import optional
from fitness.sandbox.sandbox import Sandbox

THREADED = (
    "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\nDataFrame = Series = int\n"
)
LOOKS = """
import torch
def method(problem):
    seen = 0.25
    for name in ("pandas", "optuna", "click"):
        try:
            __import__(name)
            seen = 0.75
        except ModuleNotFoundError:
            pass
    return torch.full((len(problem.test_x),), seen)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of libraries that is searched first; scikit-learn would load one of them, which starts a thread."""
    folder = tmp_path / "site-packages"
    (folder / "pandas").mkdir(parents=True)
    (folder / "pandas" / "__init__.py").write_text(THREADED)
    held = folder / "pandas-99.0.dist-info"
    held.mkdir()
    (held / "METADATA").write_text("Metadata-Version: 2.1\nName: pandas\nVersion: 99.0\n")
    (held / "RECORD").write_text("pandas/__init__.py,,\npandas-99.0.dist-info/METADATA,,\n")
    monkeypatch.syspath_prepend(str(folder))
    optional.absent.cache_clear()
    return folder


def test_a_library_that_nothing_needs_is_absent(site: Path, level: str, problem: Problem) -> None:
    with Sandbox(level) as sandbox:
        outcome = sandbox.run(LOOKS, problem, LIMITS)
    assert outcome.status is Status.OK, outcome.message
    assert outcome.predictions is not None
    assert np.all(outcome.predictions[:, 1] == 0.25)


def test_what_methods_may_import_is_there_with_all_that_it_requires() -> None:
    absent = optional.absent()
    assert not {"numpy", "torch", "scipy", "sklearn", "joblib", "threadpoolctl", "typing_extensions", "sympy"} & set(absent)
    assert {"optuna", "click", "libcst", "sqlite_utils", "multiprocess", "_pytest"} <= set(absent)


@pytest.mark.skipif(not importlib.metadata.packages_distributions().get("transformers"), reason="transformers is not there")
def test_what_loads_a_language_model_is_there_with_one_alone() -> None:
    assert {"transformers", "peft", "tokenizers", "safetensors"} <= set(optional.absent())
    assert not {"transformers", "peft", "tokenizers", "safetensors", "huggingface_hub", "yaml"} & set(optional.absent(True))


@pytest.mark.parametrize(
    ("line", "extra", "found"),
    [
        ("b[fast]>=2", "", [("b", ""), ("b", "fast")]),
        ('b; extra == "x"', "", []),
        ('b; extra == "x"', "x", [("b", "")]),
        ('b; python_version < "3"', "", []),
        ("not a requirement (", "", []),
        ("B_under.Score", "", [("b-under-score", "")]),
    ],
)
def test_a_requirement_counts_on_this_machine_and_with_its_extras(
    line: str, extra: str, found: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: [line])
    assert list(optional._required("a", extra)) == found
