"""Draws instances, one after the other, and writes them into the vault: the builder process.

`python -m fitness.vault.build` reads one JSON line of work from stdin, writes one JSON line to stdout for every instance that
is there, and exits. It also ends when its stdin closes, so it never outlives the process that started it.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TextIO, cast

from fitness import registry
from fitness.contracts import checking
from fitness.contracts.contract import Contract
from fitness.nouns import EvolveError
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw, Source
from fitness.vault import storage

ATTEMPTS = 20  # draws of one instance until the ceiling is far enough above the floor


class InstanceRefused(Exception):
    """No draw of an instance left the student anything to recover."""


@dataclass(frozen=True)
class BuildRequest:
    """One instance to build.

    Attributes:
        identity: what the file must say it is.
        domain: the domain to draw from.
        path: where the file goes.
        secret: the instance's own secret.
    """

    identity: Mapping[str, object]
    domain: str
    path: Path
    secret: Secret


def draw(source: Source, domain: str, secret: Secret, margin: float, contract: Contract) -> Draw:
    """Draw an instance, again with the next attempt's secret while its ceiling is not `margin` above its floor.

    Raises InstanceRefused, with the anchors of the draw that came nearest, when no attempt is.
    """
    nearest = source.draw(domain, secret.derive("attempt", 0))
    for attempt in range(1, ATTEMPTS):
        if nearest.gap >= margin and nearest.gap > 0:
            break
        drawn = source.draw(domain, secret.derive("attempt", attempt))
        nearest = drawn if drawn.gap > nearest.gap else nearest
    if nearest.gap < margin or nearest.gap <= 0:
        words = contract.words
        raise InstanceRefused(
            f"{ATTEMPTS} draws of an instance of {domain} had ceilings less than {margin:.2f} above their floors; the one that "
            f"came nearest has floor {nearest.floor:.3f} ({words.floor}) and ceiling {nearest.ceiling:.3f} ({words.ceiling}), "
            f"a difference of {nearest.gap:.3f}"
        )
    return nearest


def build(source: Source, request: BuildRequest, margin: float, contract: Contract) -> float:
    """Build one instance unless it is there and sound; return the CPU seconds spent.

    Raises InstanceRefused, and TaskFault for a draw that is not what the contract declares.
    """
    began = time.process_time()
    with storage.locked(request.path):
        try:
            storage.read(request.path, request.identity, request.secret)
        except (FileNotFoundError, storage.Damaged):
            drawn = draw(source, request.domain, request.secret, margin, contract)
            if _held():  # draw() imported torch, which had not been told before
                drawn = draw(source, request.domain, request.secret, margin, contract)
            store(request.path, drawn, contract, request.identity, request.secret)
    return time.process_time() - began


def store(path: Path, drawn: Draw, contract: Contract, identity: Mapping[str, object], secret: Secret) -> None:
    """Write an instance, once it is what the contract declares. Raises TaskFault, and OSError."""
    floor, ceiling = checking.check_anchors(drawn.floor, drawn.ceiling)
    kinds = zip((storage.PUBLIC, storage.PRIVATE), checking.flat(contract, drawn.public, drawn.private))
    arrays = {kind + name: array for kind, found in kinds for name, array in found.items()}
    area = {} if drawn.ceiling_auc is None else {"ceiling_auc": drawn.ceiling_auc}
    storage.write(path, arrays, {"floor": floor, "ceiling": ceiling, **area}, identity, secret)


def _held() -> bool:
    """Hold torch, where the task has imported it, to one thread and what repeats; return whether that was not so yet.

    Many tasks need none, and importing it takes longer than drawing their instances.
    """
    torch = sys.modules.get("torch")
    if torch is None or torch.are_deterministic_algorithms_enabled():
        return False
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    return True


def _channels() -> tuple[TextIO, TextIO]:
    """Return stdin and stdout for orders and reports alone: what a task's file reads is empty, what it prints is complaints.

    The reports stay open until the process is gone: at their end the other side closes the orders, and what that asks for
    (_end_with_parent) must not meet a process that is still on its way out.
    """
    orders, told = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w", closefd=False)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return orders, told


def _end_with_parent(orders: TextIO) -> None:
    """Wait for the orders to close, then end this process the orderly way: half a file is removed."""
    while orders.readline():
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _terminated(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def main() -> None:
    """Read the work, do it, report it."""
    signal.signal(signal.SIGTERM, _terminated)
    orders, told = _channels()
    work = json.loads(orders.readline())
    threading.Thread(target=_end_with_parent, args=[orders], daemon=True).start()
    registry.definitions_only()
    try:
        factory = registry.load(work["source"])
        _held()
        source = cast(Source, factory(work["options"]))
        if _held():
            source = cast(Source, factory(work["options"]))
        contract = cast(Contract, pickle.loads(base64.b64decode(work["contract"])))  # from the process that started this one
        for entry in work["requests"]:
            request = BuildRequest(
                entry["identity"], entry["domain"], Path(entry["path"]), Secret(bytes.fromhex(entry["secret"]))
            )
            seconds = build(source, request, work["margin"], contract)
            print(json.dumps({"done": entry["path"], "seconds": seconds}), file=told, flush=True)
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename or 'instance file'})"
        print(json.dumps({"error": reason}), file=told, flush=True)
        raise SystemExit(1) from None
    except (InstanceRefused, EvolveError) as error:
        print(json.dumps({"error": str(error)}), file=told, flush=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
