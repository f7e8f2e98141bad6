"""Keeps the vault: the key, the instances and their labels. It hands out problems without labels and keeps the answers."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from fitness.contracts.arranging import pack
from fitness.contracts.contract import Arrays, Problem
from fitness.home import default_home
from fitness.nouns import Split, VaultError
from fitness.sandbox.transfer import lay_out
from fitness.tasks import Task
from fitness.tasks.secret import Secret
from fitness.vault import storage
from fitness.vault.cache import ScoreCache
from fitness.vault.instance import Answers, Instance, InstanceName


class Vault:
    """A folder only its owner can read: the key, drawn once from fresh entropy, and the instances drawn with it."""

    def __init__(self, home: Path | None = None) -> None:
        """Open the vault under `home` (default: $EVOLVE_HOME), making it when there is none; raises VaultError."""
        self.folder = (home or default_home()) / "vault"
        self._verified: dict[Path, tuple[tuple[int, ...], storage.Layout, Arrays]] = {}
        try:
            storage.make_folder(self.folder)
            self.folder.chmod(0o700)
            self._secret = _key(self.folder / "key")
        except OSError as error:
            raise VaultError(_unusable(self.folder, error)) from error

    @property
    def fingerprint(self) -> str:
        """A public name of the vault's key: equal fingerprints mean equal instances."""
        return self._secret.derive("fingerprint").key.hex()[:12]

    def secret(self, task: Task, name: InstanceName) -> Secret:
        """Return the secret that an instance is drawn with."""
        return self._secret.derive("instance", task.version, name)

    def path(self, task: Task, name: InstanceName) -> Path:
        """Return where an instance's file is, or will be; files of another layout lie beside it, and are not touched."""
        file = f"{name.split}-{name.index}.{storage.FORMAT}.instance"
        return self.folder / task.name / task.version / name.domain / file

    def ready(self, task: Task, domain: str, split: Split, index: int) -> bool:
        """Say whether an instance has been built; its checksum is verified when it is loaded."""
        return self.path(task, InstanceName(task.name, domain, split, index)).exists()

    def load(self, task: Task, name: InstanceName) -> Instance:
        """Load an instance. Raises VaultError when it was never built, storage.Damaged when its file is damaged."""
        path = self.path(task, name)
        try:
            return self._read(task, name, path)
        except FileNotFoundError:
            raise VaultError(f"Instance {name} has not been built yet; build it first.") from None
        except OSError as error:
            raise VaultError(_unusable(path, error)) from error

    def problem(self, instance: Instance, draw: str, repeat: int = 0) -> tuple[Problem, Answers]:
        """Make one trial's problem and its answers: shown rows, orders and seed are drawn from key, instance and `draw`.

        That is the method's id, or what stands for two that are compared (judge.pair): both are then handed the same problem.

        The arrays are read-only and lie together where a child can map them (transfer.lay_out): nothing copies them again.
        """
        trial = self._secret.derive("trial", instance.name, draw, repeat)
        try:
            packing = pack(instance.contract, self.arrays(instance), trial.rng)
            placed = lay_out(packing.arrays, packing.orders)
        except (OSError, ValueError) as error:
            raise VaultError(f"Instance {instance.name} cannot be handed out ({error}); run the command again.") from error
        problem = Problem(instance.contract, placed, trial.seed("seed"))
        answers = Answers(
            instance.contract, instance.scoring, instance.private, instance.floor, instance.ceiling, packing.rows,
            partial(self.arrays, instance), instance.ceiling_auc,
        )  # fmt: skip
        return problem, answers

    def arrays(self, instance: Instance) -> Arrays:
        """Return the public arrays of an instance, in its order; they are mapped from its file. Raises VaultError."""
        try:
            found = _arrays(instance.path, instance.layout, storage.PUBLIC)
        except (OSError, ValueError) as error:
            raise VaultError(f"Instance {instance.name} cannot be read ({error}); run the command again.") from error
        if any(array.name not in found for array in instance.contract.arrays if not array.optional):
            raise VaultError(f"Instance {instance.name} lacks an array; delete {instance.path} and run the command again.")
        return found

    def cache(self, circumstances: Mapping[str, object]) -> ScoreCache:
        """Return what was measured of baselines on this vault's instances under these circumstances."""
        return ScoreCache(self.folder / "baselines", self._secret.derive("baselines"), circumstances)

    def rows(self, task: Task) -> ScoreCache:
        """Return where it is kept which rows of a task's dev instances methods have right (rows.RowStore)."""
        return ScoreCache(self.folder / "rows", self._secret.derive("rows"), {"task": [task.name, task.version]})

    def dice(self, *label: object) -> np.random.Generator:
        """Return the generator of what is decided about a method in secret: a method knows its seed, but not the key."""
        return self._secret.rng("dice", *label)

    def log_look(self, who: str, method: str, domain: str, split: Split, instances: int) -> int:
        """Record that scores left the vault outside a run; return how often that happened on this domain and split."""
        log, line = self.folder / "looks.jsonl", {"who": who, "method": method, "domain": domain, "split": split}
        try:
            with storage.locked(log), open(log, "a", opener=storage.private) as file:
                file.write(json.dumps({**line, "instances": instances, "time": time.time()}) + "\n")
        except OSError as error:
            raise VaultError(_unusable(log, error)) from error
        return self.looks(domain, split)

    def looks(self, domain: str, split: Split) -> int:
        """Return how often scores on a domain and split left the vault outside a run."""
        log = self.folder / "looks.jsonl"
        try:
            entries = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
            return sum((entry["domain"], entry["split"]) == (domain, split) for entry in entries)
        except OSError as error:
            raise VaultError(_unusable(log, error)) from error
        except (ValueError, TypeError, KeyError) as error:
            raise VaultError(
                f"The record of looks {log} is damaged ({error}): move it away, and say so in your report."
            ) from error

    def identity(self, task: Task, name: InstanceName) -> Mapping[str, object]:
        """Return what an instance's file must say it is."""
        return {"instance": str(name), "version": task.version}

    def _read(self, task: Task, name: InstanceName, path: Path) -> Instance:
        stat = path.stat()
        signature = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        known = self._verified.get(path)
        if known is None or known[0] != signature:
            layout = storage.read(path, self.identity(task, name), self.secret(task, name))
            private: Arrays = {key: np.array(array) for key, array in _arrays(path, layout, storage.PRIVATE).items()}
            known = self._verified[path] = signature, layout, private
        _, layout, private = known
        floor, ceiling = (cast(float, layout.facts[anchor]) for anchor in ("floor", "ceiling"))
        area = cast(float | None, layout.facts.get("ceiling_auc"))
        return Instance(name, task.contract, task.scoring, floor, ceiling, private, path, layout, area)


def _arrays(path: Path, layout: storage.Layout, kind: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(kind): storage.array(path, layout, name) for name in layout.arrays if name.startswith(kind)}


def _key(path: Path) -> Secret:
    """Read the key, drawing it first when there is none; of two processes that draw at once, both get the same one."""
    with storage.locked(path):
        if not path.exists():
            part = path.with_suffix(".part")
            part.unlink(missing_ok=True)
            with open(part, "xb", opener=storage.private) as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        key = path.read_bytes()
    if len(key) != 32:
        raise VaultError(f"The vault's key {path} is damaged: move the folder {path.parent} away and a new vault is made.")
    return Secret(key)


def _unusable(path: Path, error: OSError) -> str:
    """Return the sentence for a folder or file that cannot be used."""
    return f"The vault cannot use {path}: {error.strerror or error}. Set EVOLVE_HOME to a folder you can write to."
