"""Starts CUDA in a child: trusted code, after Landlock and before seccomp. Loaded inside the sandbox.

cuInit makes anonymous files, which seccomp refuses, and writes its threads' names below /proc/self/task, which Landlock does;
it takes either for the end (error 304, "OS call failed"). The threads that it starts inherit Landlock, and seccomp is put on
all threads at once.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import walls

if TYPE_CHECKING:
    import torch

OWN, OWN_TASKS = "/proc/self", "/proc/self/task"  # of the child itself: a ruleset made in the zygote would name the zygote's


@dataclass(frozen=True)
class Cuda:
    """What a child needs to start CUDA.

    Attributes:
        readable: trees that may be read.
        listable: folders that may be listed.
        devices: the GPU's device nodes.
        library: the driver's library, libcuda, wherever it is installed.
    """

    readable: list[str]
    listable: list[str]
    devices: list[str]
    library: str

    def enter_landlock(self) -> None:
        """Restrict this process, for good, to the trees, the GPU and its own entries in /proc. Raises OSError."""
        walls.enter_landlock(walls.ruleset([*self.readable, OWN], self.listable, self.devices, [OWN_TASKS]))

    def start(self, seed: int, memory: int) -> torch.device:
        """Start CUDA, with a context that is this child's alone; return the device. Raises OSError or RuntimeError.

        `memory` is what torch may take at most: a method that asks for more gets an exception. A method could lift that; the
        limit that it cannot lift is kept outside.
        """
        import torch  # the zygote imports this file before it knows where torch is

        ctypes.CDLL(self.library, mode=ctypes.RTLD_GLOBAL)
        device = torch.device("cuda", 0)
        torch.cuda.set_per_process_memory_fraction(min(1.0, memory / torch.cuda.get_device_properties(device).total_memory))
        torch.cuda.manual_seed(seed)
        product = torch.zeros(8, 8, device=device)
        torch.addmm(product[0], product, product).softmax(1).sum().item()  # loads the kernels and cuBLAS, which opens files too
        return device
