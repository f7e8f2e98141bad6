"""Runs methods behind walls of the kernel; only floats come back.

The trusted process uses `sandbox.Sandbox` and `doctor.diagnose`. What lies in `inside/` is loaded behind the walls, in a fresh
interpreter, and imports nothing else of ours.

- build_filter: makes the seccomp filters
- canary: a decoy vault that shows who opens it
- device: CPU or GPU
- doctor: which walls stand here
- filters/: the seccomp filters, built
- inside/: what is loaded behind the walls
- launch: the zygote's command line
- nvidia: what the GPU's driver says
- sandbox: the trusted side
- supervisor: one child, watched from outside
- transfer: inputs as sealed files
- verdict: what came of a child
"""

from __future__ import annotations

import importlib.metadata
import platform

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

_DISTRIBUTIONS = {"torch": "torch", "numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn"}


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that a method may import, without importing them."""
    found = {"Python": platform.python_version()}
    for name, distribution in _DISTRIBUTIONS.items():
        try:
            found[name] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
