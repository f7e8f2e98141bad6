"""Chooses where methods compute: finds a GPU without torch, and what a child must open to use it."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fitness.nouns import DeviceUnavailable
from fitness.sandbox import nvidia

LOOK_SECONDS = 60.0
_NODES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia[0-9]*")


@dataclass(frozen=True)
class Gpu:
    """A GPU that CUDA starts on, outside the walls.

    Attributes:
        name: what its maker calls it.
        uuid: which of the machine's it is, for CUDA_VISIBLE_DEVICES and NVML.
        memory: its bytes.
        library: where the driver's library, libcuda, was found.
        nodes: the device nodes that CUDA opens.
    """

    name: str
    uuid: str
    memory: int
    library: str
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class DeviceChoice:
    """Where methods are to compute.

    Attributes:
        gpu: the GPU, or None for the CPU.
        note: why on the CPU, as a sentence, where a GPU would have been taken.
        strict: whether a GPU was asked for by name, so that the CPU will not do.
    """

    gpu: Gpu | None
    note: str = ""
    strict: bool = False


def choose(wanted: str) -> DeviceChoice:
    """Return what `cpu`, `cuda` or `auto` (a GPU if there is one) comes to here. Raises DeviceUnavailable for `cuda` alone."""
    try:
        return DeviceChoice(None if wanted == "cpu" else find(), strict=wanted == "cuda")
    except DeviceUnavailable as error:
        if wanted == "cuda":
            hint = "start, resume and judge take --device cpu"
            raise DeviceUnavailable(f"methods cannot run on a GPU here: {error}; {hint}") from error
        return DeviceChoice(None, on_the_cpu(error))


def on_the_cpu(reason: Exception) -> str:
    """Return the sentence that says why methods run on the CPU."""
    return f"methods run on the CPU: {reason}"


def find(dev: Path = Path("/dev"), torch: Path | None = None) -> Gpu:
    """Return the GPU that methods can compute on. Raises DeviceUnavailable with the sentence that says why there is none.

    `dev` is where device nodes are, `torch` where PyTorch is installed. Where there is no NVIDIA device this costs nothing;
    where there is one, CUDA is started in a throw-away process, for about a second.
    """
    if not (dev / "nvidiactl").exists():
        raise DeviceUnavailable("no NVIDIA device was found")
    if not _built_for_cuda(torch or _torch()):
        raise DeviceUnavailable("PyTorch is a CPU build: install one for CUDA, see docs/gpu.md")
    command = [sys.executable, "-I", nvidia.__file__]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LOOK_SECONDS)
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise DeviceUnavailable(f"NVIDIA's driver could not be asked: {error}") from error
    if "error" in found:
        raise DeviceUnavailable(found["error"])
    return Gpu(**found, nodes=tuple(sorted(str(node) for pattern in _NODES for node in dev.glob(pattern))))


def _torch() -> Path:
    spec = importlib.util.find_spec("torch")  # finds it without importing it
    if spec is None or spec.origin is None:
        raise DeviceUnavailable("PyTorch is not installed")
    return Path(spec.origin).parent


def _built_for_cuda(torch: Path) -> bool:
    """Tell whether a PyTorch was built for CUDA, from the text of its version.py: `cuda = None`, or a version."""
    try:
        text = (torch / "version.py").read_text(encoding="utf-8")
    except OSError as error:
        raise DeviceUnavailable(f"PyTorch's build cannot be read: {error}") from error
    return re.search(r"^cuda\b[^=\n]*=\s*['\"]\d", text, re.MULTILINE) is not None
