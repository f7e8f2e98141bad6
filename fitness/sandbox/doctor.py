"""Tests which walls stand on this machine: each is tried in a throw-away process, never inferred from versions."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from fitness.nouns import CONTAINED as CONTAINED
from fitness.nouns import SandboxUnavailable
from fitness.sandbox import launch

PROBE_SECONDS = 30.0
LEVELS = {
    "A": "full: walls of the kernel, inside namespaces of their own",
    "B": "strong: walls of the kernel; install bubblewrap, or allow user namespaces, for level A",
    "C": "namespaces and seccomp only: language-model code is refused here without --trust-methods",
    "none": "methods are not contained here: language-model code is refused without --trust-methods",
}
_CORE = ("rlimits", "landlock", "seccomp", "children")
_ALWAYS = ("rlimits", "children")  # without these no method is run at all: nothing could stop it


@dataclass(frozen=True)
class Wall:
    """One wall of the sandbox.

    Attributes:
        name: rlimits, landlock, seccomp, children, or bubblewrap.
        up: whether it stopped what it must stop.
        detail: what it does, or why it is down, as a sentence.
    """

    name: str
    up: bool
    detail: str


@dataclass(frozen=True)
class Diagnosis:
    """What this machine offers.

    Attributes:
        level: "A" every wall; "B" every wall but bubblewrap; "C" bubblewrap without Landlock; "none".
        walls: each wall.
    """

    level: str
    walls: tuple[Wall, ...]

    @property
    def down(self) -> dict[str, str]:
        """The walls that are missing, each with the reason."""
        return {wall.name: wall.detail for wall in self.walls if not wall.up}

    @property
    def usable(self) -> bool:
        """Whether methods that are trusted can be run at all."""
        return not any(name in self.down for name in _ALWAYS)

    @property
    def dangers(self) -> str:
        """What a method could do here that nothing stops, as a sentence; empty from level B up."""
        if self.level in CONTAINED:
            return ""
        if self.level == "C":
            return "only bubblewrap stands between a method and your files"
        means = {"landlock": "read and change every file that you can (keys and labels too)"}
        means["seccomp"] = "start processes and use the network"
        return f"a method can {' and '.join(means[name] for name in self.down if name in means)}"

    @property
    def summary(self) -> str:
        """The level, what is missing, and what that means, as one sentence."""
        missing = "; ".join(f"{name} is down: {detail}" for name, detail in self.down.items())
        parts = (f"sandbox level {self.level}, {LEVELS[self.level]}", missing, self.dangers)
        return "; ".join(part for part in parts if part)


def diagnose() -> Diagnosis:
    """Try every wall; about 0.3 s, without importing torch. Never raises for a wall that is down."""
    if not sys.platform.startswith("linux"):
        walls = tuple(Wall(n, False, f"there is none on {sys.platform}: it needs Linux") for n in (*_CORE, "bubblewrap"))
        return Diagnosis("none", walls)
    inner = launch.interior()
    try:
        program, lacking = launch.seccomp_program().hex(), None
    except SandboxUnavailable as error:
        program, lacking = "", Wall("seccomp", False, str(error))
    readable, listable = launch.grants(inner)
    told = {"readable": readable, "listable": listable, "program": program, "outside": launch.__file__}
    found = _probe(launch.plain(inner, "probe"), {**told, "secret": launch.__file__})
    walls = [lacking if lacking and name == "seccomp" else found[name] for name in _CORE]
    try:
        inside = _probe(launch.bubbled(inner, "probe"), {**told, "secret": "/inside/probe.py"})
        walls.append(_bubblewrap(inside, walls))
    except SandboxUnavailable as error:
        walls.append(Wall("bubblewrap", False, str(error)))
    return Diagnosis(_level({wall.name: wall.up for wall in walls}), tuple(walls))


def _level(up: dict[str, bool]) -> str:
    if all(up[name] for name in _CORE):
        return "A" if up["bubblewrap"] else "B"
    return "C" if up["bubblewrap"] and up["seccomp"] else "none"


def _bubblewrap(inside: dict[str, Wall], outside: list[Wall]) -> Wall:
    """Fold what was found inside bubblewrap into one wall: namespaces, and every wall that stands outside stands there too."""
    namespaces = inside["namespaces"]
    fallen = [inside[wall.name] for wall in outside if wall.up and not inside[wall.name].up]
    if namespaces.up and fallen:
        return Wall("bubblewrap", False, f"inside it, {fallen[0].name} is down: {fallen[0].detail}")
    return Wall("bubblewrap", namespaces.up, namespaces.detail)


def _probe(command: list[str], told: dict[str, object]) -> dict[str, Wall]:
    """Run the probe with a command line; every wall is down when it does not answer."""
    try:
        done = subprocess.run(
            [*command, json.dumps(told)],
            env=launch.HASH_SEED,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
        )
        answer = json.loads(done.stdout)
        return {name: Wall(name, up, detail) for name, (up, detail) in answer.items()}
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        said = done.stderr.strip().splitlines()[-1:] if isinstance(error, ValueError) else [str(error)]
        reason = f"it could not be tried: {said[0][:300] if said else 'the probe said nothing'}"
        return {name: Wall(name, False, reason) for name in (*_CORE, "namespaces")}
