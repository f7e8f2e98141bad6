"""Asks NVIDIA's driver, through its two C libraries, what the first GPU is and how much memory a process holds there.

As a script it starts CUDA in a throw-away process, which the trusted process never does, and prints one JSON object. It imports
the standard library only.
"""

from __future__ import annotations

import ctypes
import json
import os
import threading
import time
import uuid

CUDA, NVML = "libcuda.so.1", "libnvidia-ml.so.1"
FRESH = 0.03  # seconds for which one look at the GPU's processes serves everybody
_NOT_AVAILABLE = 2**64 - 1
_INSUFFICIENT_SIZE = 7


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _Process(ctypes.Structure):
    _fields_ = (("pid", ctypes.c_uint), ("used", ctypes.c_ulonglong), ("_instance", ctypes.c_uint), ("_compute", ctypes.c_uint))


class Meter:
    """Reads how much of one GPU's memory is in use (NVML). Safe to use from several threads."""

    def __init__(self, gpu: str) -> None:
        """Find a GPU by its UUID. Raises OSError."""
        self._nvml = ctypes.CDLL(NVML)
        self._nvml.nvmlErrorString.restype = ctypes.c_char_p
        self._device = ctypes.c_void_p()
        self._lock, self._held, self._read = threading.Lock(), dict[int, int](), -FRESH
        self._ask("nvmlInit_v2")
        self._ask("nvmlDeviceGetHandleByUUID", gpu.encode(), ctypes.byref(self._device))

    def held(self, pid: int) -> int:
        """Return the bytes of the GPU's memory that a process holds, its context included. Raises OSError."""
        with self._lock:
            if time.monotonic() - self._read >= FRESH:
                self._held, self._read = self._processes(), time.monotonic()
            return self._held.get(pid, 0)

    def free(self) -> int:
        """Return the bytes of the GPU's memory that nobody holds. Raises OSError."""
        memory = _Memory()
        self._ask("nvmlDeviceGetMemoryInfo", self._device, ctypes.byref(memory))
        return int(memory.free)

    def _processes(self) -> dict[int, int]:
        count = ctypes.c_uint(64)
        while True:
            count.value += 8
            table = (_Process * count.value)()
            code = self._nvml.nvmlDeviceGetComputeRunningProcesses_v3(self._device, ctypes.byref(count), table)
            if code != _INSUFFICIENT_SIZE:
                break
        self._check("nvmlDeviceGetComputeRunningProcesses", code)
        return {row.pid: row.used for row in table[: count.value] if row.used != _NOT_AVAILABLE}

    def _ask(self, function: str, *arguments: object) -> None:
        self._check(function, getattr(self._nvml, function)(*arguments))

    def _check(self, function: str, code: int) -> None:
        if code:
            raise OSError(code, f"{function}: {self._nvml.nvmlErrorString(code).decode(errors='replace')}")


def look() -> dict[str, object]:
    """Start CUDA on its first GPU and say which that is; and make sure that memory held there is seen from outside.

    Raises OSError with a sentence.
    """
    try:
        cuda = ctypes.CDLL(CUDA)
    except OSError as error:
        raise OSError(f"the library of NVIDIA's driver cannot be loaded ({error}): install the driver") from error

    def ask(function: str, *arguments: object) -> None:
        if code := getattr(cuda, function)(*arguments):
            text = ctypes.c_char_p()
            cuda.cuGetErrorString(code, ctypes.byref(text))
            raise OSError(f"CUDA does not start: {function} says {(text.value or b'nothing').decode()} ({code})")

    count, device, context = ctypes.c_int(), ctypes.c_int(), ctypes.c_void_p()
    name, identity, memory = ctypes.create_string_buffer(256), ctypes.create_string_buffer(16), ctypes.c_size_t()
    ask("cuInit", 0)
    ask("cuDeviceGetCount", ctypes.byref(count))
    if not count.value:
        raise OSError("CUDA sees no GPU (CUDA_VISIBLE_DEVICES may hide it)")
    ask("cuDeviceGet", ctypes.byref(device), 0)
    ask("cuDeviceGetName", name, len(name), device)
    ask("cuDeviceGetUuid", identity, device)
    ask("cuDeviceTotalMem_v2", ctypes.byref(memory), device)
    ask("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
    gpu = f"GPU-{uuid.UUID(bytes=identity.raw)}"
    try:
        held = Meter(gpu).held(os.getpid())
    except OSError as error:
        raise OSError(f"the memory that methods hold on the GPU cannot be watched ({error})") from error
    if not held:
        raise OSError("the memory that methods hold on the GPU cannot be watched: the driver does not tell it by process here")
    return {"name": name.value.decode(errors="replace"), "uuid": gpu, "memory": memory.value, "library": mapped("/libcuda.so")}


def mapped(part: str) -> str:
    """Return the path of a library that this process has loaded, by a part of it."""
    with open("/proc/self/maps") as maps:
        return next(path for line in maps if part in (path := line.rstrip("\n").split(maxsplit=5)[-1]))


def main() -> None:
    """Print what was found, or {"error": why nothing was}."""
    try:
        print(json.dumps(look()))
    except OSError as error:
        print(json.dumps({"error": str(error)}))


if __name__ == "__main__":
    main()
