"""Records the search that end_to_end/test_replay.py replays: `python -m tests.support.record`, some five minutes on two cores.

A real search on the embedded task: two models over both protocols (the scripted server of model_server.py, with faults on
the way), the offline operators, the real sandbox and a vault that is thrown away. Record it again after every change of what
the search chooses or how it reads a reply: the replay names the first difference.
"""

from __future__ import annotations

import lzma
import os
import sqlite3
import tempfile
from pathlib import Path

from tests.support.model_server import Fault, ModelServer

RECORDED = Path(__file__).parent / "data" / "recorded.db.xz"
EARLIER = RECORDED.with_name("recorded_before_cards.db.xz")  # of an earlier version, whose prompts told the Ladder's answers
CANDIDATES = 100
KINDS = ("no_code", "crashing", "rate_limit", "refusal", "forbidden", "server_error", "unmatched", "crashing", "leaky_error")


def faults() -> list[Fault | None]:
    """Return faults with good answers between them."""
    return [entry for kind in KINDS for entry in (Fault(kind), None, None)]


def unpacked(folder: Path, packed: Path = RECORDED) -> Path:
    """Write a recorded archive into a folder and return its path."""
    path = folder / "recorded.db"
    path.write_bytes(lzma.decompress(packed.read_bytes()))
    return path


def main() -> None:
    """Record, and store the archive compressed."""
    from evolve.cli import run

    with tempfile.TemporaryDirectory() as name, ModelServer(faults()) as chat, ModelServer(faults(), seed=1) as messages:
        folder = Path(name)
        os.environ |= {
            "EVOLVE_HOME": str(folder / "home"),
            "ANTHROPIC_BASE_URL": messages.root,
            "ANTHROPIC_API_KEY": "none-needed",
        }
        settings = (
            "dev_instances=10",
            "fresh_instances=2",
            "held_out_instances=0",
            "finalists=1",
            "migrate_every=15",
            "reset_every=40",
        )
        models = ("--model", "openai:tiny", "--model", "anthropic:claude-tiny", "--base-url", chat.url)
        sets = (word for setting in settings for word in ("--set", setting))
        budget = ("--evals", str(CANDIDATES), "--workers", "2", "--seed", "11", "--device", "cpu")
        assert run(["start", *models, *budget, *sets, "--db", str(folder / "run.db")]) == 0
        with sqlite3.connect(folder / "run.db") as db:
            db.execute(f"vacuum into '{folder / 'whole.db'}'")
        RECORDED.parent.mkdir(exist_ok=True)
        RECORDED.write_bytes(lzma.compress((folder / "whole.db").read_bytes(), preset=9))
    print(f"{RECORDED.name}: {RECORDED.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
