"""Imports sqlite_utils without pandas and numpy: it loads both, 0.3 s, only to know the types of their values."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Let imports of these packages fail, those that are not loaded already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is what makes an import fail
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _without("pandas", "numpy"):
    from sqlite_utils import Database as Database
    from sqlite_utils import Migrations as Migrations
