"""Keeps what was measured of methods beside the labels: a file an entry, keyed, so that nobody else can write one."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from fitness.tasks.secret import Secret
from fitness.vault import storage


class ScoreCache:
    """Entries by what they are of and under which circumstances they were measured; other circumstances, other entries.

    An entry that is damaged, or was written with another key, counts as none. Two processes may use one cache at once: an entry
    is there whole or not at all, and both write the same.
    """

    def __init__(self, folder: Path, secret: Secret, circumstances: Mapping[str, object]) -> None:
        self._folder, self._secret, self._circumstances = folder, secret, circumstances

    def get(self, of: Mapping[str, object]) -> Any:
        """Return an entry as JSON; None when there is none."""
        label = self._label(of)
        try:
            said, _, value = self._path(label).read_bytes().partition(b"\n")
            return json.loads(value) if said.decode() == self._digest(label, value) else None
        except (OSError, ValueError):
            return None

    def put(self, of: Mapping[str, object], value: object) -> None:
        """Store an entry; where there is no room for it, it will be measured again."""
        label, data = self._label(of), json.dumps(value).encode()
        path = self._path(label)
        with suppress(OSError):
            storage.make_folder(path.parent)
            handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")  # for its owner only
            try:
                with open(handle, "wb") as file:
                    file.write(self._digest(label, data).encode() + b"\n" + data)
                os.replace(part, path)
            finally:
                Path(part).unlink(missing_ok=True)

    def prune(self, most: int) -> None:
        """Drop the entries that were written first, whatever their circumstances, until the rest has at most so many bytes."""
        with suppress(OSError):
            found = [(path.stat(), path) for path in self._folder.glob("*/*")]
            room = sum(stat.st_size for stat, _ in found) - most
            for stat, path in sorted(found, key=lambda one: one[0].st_mtime_ns):
                if room <= 0:
                    break
                path.unlink()
                room -= stat.st_size

    def _label(self, of: Mapping[str, object]) -> str:
        return json.dumps([of, self._circumstances], sort_keys=True)

    def _path(self, label: str) -> Path:
        name = self._secret.derive("entry", label).key.hex()
        return self._folder / name[:2] / name[2:]

    def _digest(self, label: str, value: bytes) -> str:
        return blake2b(label.encode() + b"\n" + value, key=self._secret.key, digest_size=storage.DIGEST).hexdigest()
