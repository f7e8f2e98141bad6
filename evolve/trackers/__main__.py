"""Runs the process of one tracker: `python -m evolve.trackers NAME` reads lines of JSON until the run or its pipe ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from evolve.trackers import Subject, load


def follow(name: str, lines: Iterable[str]) -> None:
    """Open a tracker with the first line, and pass the others on to it."""
    source = iter(lines)
    first = json.loads(next(source))
    tracker = load(name)(Subject(first["name"], first["key"], Path(first["folder"]), first["settings"]))
    for line in source:
        message = json.loads(line)
        if "state" in message:
            tracker.end(message["state"], message["results"])
            return
        tracker.log(message["step"], message["values"])
    tracker.end("interrupted", {})  # the run was killed


def main() -> None:
    """Follow a run; what goes wrong is the only thing that is ever written to standard output, in one line."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.umask(0o077)  # what it writes is for its user only
    os.nice(10)  # the search goes first
    try:
        follow(sys.argv[1], sys.stdin)
    except BaseException as error:
        words = " ".join(str(error).split())
        answer.write(f"{type(error).__name__}: {words[:300]}" if words else type(error).__name__)
        answer.flush()
        os._exit(1)


if __name__ == "__main__":
    main()
