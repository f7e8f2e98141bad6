"""Says under which circumstances a method is judged: everything beside the method and the instance that could move a score."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path

import evolve.screening
import fitness
from fitness.sandbox import versions
from fitness.sandbox.device import DeviceChoice
from fitness.sandbox.sandbox import Sandbox
from fitness.tasks import Task


def circumstances(task: Task, sandbox: Sandbox, device: DeviceChoice) -> dict[str, object]:
    """Return them as JSON: the task, the limits, the walls, the device, the processor, the libraries, and our own code."""
    gpu = device.gpu.name if device.gpu and sandbox.device == "cuda" else ""
    return {
        "task": [task.name, task.version],
        "limits": asdict(task.limits),
        "walls": sandbox.level,
        "device": [sandbox.device, gpu],
        "processor": [platform.machine(), _processor()],
        "libraries": versions() | {"libcst": importlib.metadata.version("libcst")},
        "code": _code(),
    }


@cache
def _code() -> str:
    """Return a digest of what judges: the whole of fitness/, and what screens and scrambles sources for a probe."""
    digest = sha256()
    for package in (fitness, evolve.screening):
        folder = Path(package.__path__[0])
        for path in sorted(folder.rglob("*.py")):
            digest.update(f"{path.relative_to(folder)}\n".encode() + sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _processor() -> str:
    """Return the processor's name and its instruction sets: sums are rounded as they come."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").partition("\n\n")[0].splitlines()
    except OSError:
        return ""
    return "\n".join(line for line in lines if line.startswith(("model name", "flags", "Features")))
