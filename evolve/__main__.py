"""Runs `python -m evolve`: checks that the four packages are those of one checkout, then starts the command line."""

from __future__ import annotations

import contextlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn


def stray_package() -> str | None:
    """Return a sentence when one of the four packages resolves outside this checkout, else None."""
    here = Path(__file__).resolve().parent.parent
    for name in ("evolve", "archives", "fitness"):
        spec = find_spec(name)
        found = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
        if found != here:
            return (
                f"the package {name} resolves to {found}, but this evolve is in {here}: another distribution ships a folder of "
                f"that name; run evolve from its checkout, in its own .venv"
            )
    return None


def main() -> None:
    """Run the command line."""
    stray = stray_package()
    if stray:
        print(f"evolve: {stray}", file=sys.stderr)
        sys.exit(2)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads would spin on the cores that methods need
    from evolve.cli import run

    leave(run(sys.argv[1:]))


def leave(code: int) -> NoReturn:
    """End the process, after a failure or a Ctrl-C at once: threads that still wait for a model would hold it up."""
    with contextlib.suppress(OSError):  # a reader who goes away now is told no more
        sys.stdout.flush()
        sys.stderr.flush()
    if code:
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
