"""Runs methods behind walls of the kernel; only floats come back.

The trusted process uses `sandbox.Sandbox` and `doctor.diagnose`. What lies in `inside/` is loaded behind the walls, in a fresh
interpreter, and imports nothing else of ours.

- build_filter: makes the seccomp filters
- calls: the system calls that are let through, and why
- canary: a decoy vault that shows who opens it
- device: CPU or GPU
- doctor: which walls stand here
- filters/: the seccomp filters, built
- inside/: what is loaded behind the walls
- launch: the zygote's command line
- nvidia: what the GPU's driver says
- optional: installed libraries that are absent behind the walls
- sandbox: the trusted side
- supervisor: one child, watched from outside
- telling: what a failed method says, cut
- transfer: inputs as sealed files
- verdict: what came of a child
- warm: the process that forks children
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping

ALLOWED_IMPORTS: frozenset[str] = frozenset(
    {"torch", "numpy", "scipy", "sklearn"}
    | {
        "__future__",
        "abc",
        "bisect",
        "cmath",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "decimal",
        "enum",
        "fractions",
    }
    | {"functools", "heapq", "itertools", "math", "numbers", "operator", "random", "re", "statistics", "string"}
    | {"types", "typing", "warnings"}
)
"""What a method may import, by top-level name: the one place."""

REFUSED_IMPORTS: frozenset[str] = frozenset({"sklearn.datasets"})
"""Dotted names that are refused although their package is allowed (sklearn ships the digits' labels)."""

_HANDS = (
    *("Process", "spawn", "start_processes", "Queue", "SimpleQueue", "JoinableQueue", "Manager", "Pipe", "Value", "Array"),
    *("Lock", "RLock", "Event", "Condition", "Semaphore", "Barrier"),
)
UNAVAILABLE: Mapping[str, str] = {
    **dict.fromkeys((f"torch.multiprocessing.{name}" for name in _HANDS), "a method is one process"),
    "torch.distributed.init_process_group": "a method is one process",
    **dict.fromkeys(("torch.hub", "scipy.datasets"), "there is no network"),
    **dict.fromkeys(("numpy.memmap", "torch.from_file", "torch.utils.tensorboard"), "there are no files to write"),
    "torch.utils.cpp_extension": "there is no compiler",
    **dict.fromkeys(("numpy.show_runtime", "sklearn.show_versions", "sklearn.utils.all_estimators"), "the machine is hidden"),
}
"""Dotted names of the allowed packages that fail inside whatever they are given, and why. What starts processes by itself, for
n_jobs, workers or num_workers, is not among them: it works in the one process that there is."""
DISTRIBUTIONS = {"torch": "torch", "numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn"}
"""The distributions of what a method may import beside the standard library, by top-level name."""


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that a method may import, without importing them."""
    found = {"Python": platform.python_version()}
    for name, distribution in DISTRIBUTIONS.items():
        try:
            found[name] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
