"""Makes randomness that only the holder of the vault's key can repeat."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Secret:
    """32 bytes from which other secrets and random generators are derived by HMAC-SHA256 of a label."""

    key: bytes = field(repr=False)

    def derive(self, *label: object) -> Secret:
        """Return the secret of a label; parts are joined by a zero byte, so no two labels run together."""
        message = "\0".join(str(part) for part in label).encode()
        return Secret(hmac.digest(self.key, message, "sha256"))

    def rng(self, *label: object) -> np.random.Generator:
        """Return the random generator of a label."""
        return np.random.default_rng(int.from_bytes(self.derive(*label).key, "big"))

    def seed(self, *label: object) -> int:
        """Return the seed of a label, 0 to 2**31 - 1."""
        return int.from_bytes(self.derive(*label).key[:4], "big") >> 1

    def uniform(self, *label: object) -> float:
        """Return the number of a label in [0, 1)."""
        return int.from_bytes(self.derive(*label).key[:6], "big") / 2**48
