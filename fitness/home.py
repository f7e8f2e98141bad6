"""Says where what is kept between runs lies: the vault, and arrays that were handed over."""

from __future__ import annotations

import os
from pathlib import Path


def default_home() -> Path:
    """Return $EVOLVE_HOME, or the cache folder used without it."""
    return Path(os.environ.get("EVOLVE_HOME") or Path.home() / ".cache" / "evolve-w2s").expanduser()
