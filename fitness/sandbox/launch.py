"""Builds the command line that starts the zygote at each sandbox level, and lists the files it may read."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from glob import escape, glob
from pathlib import Path

from fitness.nouns import SandboxUnavailable
from fitness.sandbox.device import Gpu

HERE = Path(__file__).parent
INSIDE = HERE / "inside"  # all of ours that is loaded behind the walls
PACKAGES = ("evolve", "archives", "fitness", "seeds")
FLAGS = ("-s", "-S", "-P", "-B")  # no site-packages but the ones we name, no .pth files, no bytecode written
BOOT = """
import importlib, sys, types
package = types.ModuleType("inside")
package.__path__ = [sys.argv.pop(1)]
sys.modules["inside"] = package
importlib.import_module("inside." + sys.argv.pop(1)).main()
"""
HASH_SEED = {"PYTHONHASHSEED": "0"}  # all that is in the environment at the start: sets of strings in one order, always
ENVIRONMENT = {  # one thread a child; no compiler, no worker processes, no cache folders
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "JOBLIB_MULTIPROCESSING": "0",
    "TORCHDYNAMO_DISABLE": "1",
    "TORCH_COMPILE_DISABLE": "1",
    "TORCHINDUCTOR_CACHE_DIR": "/",  # it must exist when torch is imported; nothing can be written there
    "HOME": "/nonexistent",
}
IMPORTS = (
    *("torch.optim", "torch._dynamo", "scipy.stats", "scipy.optimize", "scipy.linalg", "scipy.special", "scipy.sparse.linalg"),
    *(
        "scipy.spatial",
        "sklearn.cluster",
        "sklearn.mixture",
        "sklearn.linear_model",
        "sklearn.decomposition",
        "sklearn.neighbors",
    ),
    *("sklearn.discriminant_analysis", "sklearn.calibration", "sklearn.ensemble", "sklearn.svm", "sklearn.semi_supervised"),
    *("sklearn.preprocessing", "sklearn.model_selection", "sklearn.naive_bayes", "sklearn.neural_network", "sklearn.manifold"),
    *("sklearn.gaussian_process", "sklearn.feature_selection", "sklearn.kernel_approximation", "sklearn.metrics"),
)
CUDA_ENVIRONMENT = {"CUDA_CACHE_DISABLE": "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}  # nowhere to write; sums in one order
DRIVER = (  # what else the driver's library reads when CUDA starts; the first two it must be able to read
    *("/proc/driver/nvidia", "/proc/driver/nvidia-uvm", "/proc/devices", "/proc/modules", "/proc/cpuinfo", "/proc/meminfo"),
    *("/proc/sys/vm/mmap_min_addr", "/proc/sys/vm/overcommit_memory"),
)
DECOYS = "/evolve/homes"  # at level A: see canary.py
SYSTEM = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/urandom", "/dev/null")


SITES = ("", "*-packages/", "*/*-packages/")  # where libraries lie below a root; those of other interpreters are readable too


@dataclass(frozen=True)
class Interior:
    """What of this machine exists inside.

    Attributes:
        executable: the interpreter, outside any virtual environment.
        sites: folders that libraries are imported from.
        roots: trees and files that may be read: system libraries, the standard library, the sites.
        hidden: trees below the roots that may not: sklearn's data (it holds the digits' labels), this checkout.
        devices: the nodes of the GPU that methods compute on; none for the CPU.
        library: the library of that GPU's driver.
        model: the folder of a language model that the zygote loads, and its children cannot open; "" for none.
        decoys: a folder among the roots that exists inside only, empty and in memory; "" for none.
        environment: all that is in the environment.
    """

    executable: str
    sites: tuple[str, ...]
    roots: tuple[str, ...]
    hidden: tuple[str, ...]
    devices: tuple[str, ...] = ()
    library: str = ""
    model: str = ""
    decoys: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: ENVIRONMENT)


def interior(gpu: Gpu | None = None) -> Interior:
    """Find the interpreter and the libraries that this process runs on, and what belongs to a GPU, if there is to be one."""
    executable = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    names = ("site-packages", "dist-packages")
    sites = tuple(dict.fromkeys(os.path.realpath(p) for p in sys.path if os.path.basename(p) in names and os.path.isdir(p)))
    library = os.path.join(sys.base_prefix, "lib")
    binary = sysconfig.get_path("platstdlib", vars={"platbase": sys.base_exec_prefix})
    standard = (sysconfig.get_path("stdlib"), binary, library)
    candidates = [*SYSTEM, *(os.path.realpath(p) for p in standard), *sites]
    if gpu is not None:
        candidates += [os.path.dirname(os.path.realpath(gpu.library)), *DRIVER]
    roots = tuple(dict.fromkeys(p for p in candidates if os.path.exists(p) and not _below(p, candidates)))
    data = (found for root in roots for place in SITES for found in glob(f"{escape(root)}/{place}sklearn/datasets/data"))
    home = str(HERE.parent.parent)
    ours = (
        [os.path.join(home, name) for name in PACKAGES] if home in sites else [home]
    )  # installed among the libraries, or a checkout
    inner = Interior(executable, sites, roots, tuple(p for p in (*data, *ours) if os.path.isdir(p)))
    if gpu is None:
        return inner
    environment = {**ENVIRONMENT, **CUDA_ENVIRONMENT, "CUDA_VISIBLE_DEVICES": gpu.uuid}
    return replace(inner, devices=gpu.nodes, library=gpu.library, environment=environment)


def _below(path: str, others: list[str]) -> bool:
    """Tell whether a path lies in another of the list, symlinked system folders aside."""
    return any(path != other and path.startswith(other + "/") and not os.path.islink(other) for other in others)


def grants(inner: Interior) -> tuple[list[str], list[str]]:
    """Return the trees a child may read and the folders it may list: the roots, opened up wherever they hold a hidden tree."""
    readable: list[str] = []
    listable: list[str] = []
    for root in inner.roots:
        for path, whole in _open_up(root, inner.hidden):
            (readable if whole else listable).append(path)
    return readable, listable


def _open_up(path: str, hidden: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    if path in hidden:
        return
    if not any(h.startswith(path.rstrip("/") + "/") for h in hidden):
        yield path, True
        return
    yield path, False
    for entry in os.scandir(path):
        if not entry.is_symlink():  # what it points to is granted under its own name, or not at all
            yield from _open_up(entry.path, hidden)


def plain(inner: Interior, module: str) -> list[str]:
    """Return the command line of level B that runs one of our inside modules; its own arguments follow."""
    return [inner.executable, *FLAGS, "-c", BOOT, str(INSIDE), module]


def bubbled(inner: Interior, module: str) -> list[str]:
    """Return the command line of level A: the same inside namespaces that hold the roots, read-only, and nothing else.

    Raises SandboxUnavailable when bubblewrap is not installed. It keeps all capabilities when root starts it, so they are
    dropped by name. No --die-with-parent: that follows the thread that started it, and the zygote ends with its control socket.
    """
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise SandboxUnavailable("bubblewrap is not installed: install the system package `bubblewrap` for sandbox level A")
    command = [bwrap, "--unshare-user", "--uid", "65534", "--gid", "65534", "--unshare-ipc", "--unshare-pid", "--unshare-net"]
    command += ["--unshare-uts", "--unshare-cgroup-try", "--new-session", "--cap-drop", "ALL"]
    for root in (*inner.roots, *inner.devices):
        if root.startswith("/proc/"):  # it is there once /proc is
            continue
        if root == inner.decoys:
            command += ["--perms", "0300", "--tmpfs", root]
        elif root.startswith("/dev/"):
            command += ["--dev-bind", root, root]
        elif os.path.islink(root):
            command += ["--symlink", os.readlink(root), root]
        else:
            command += ["--ro-bind", root, root]
    command += ["--ro-bind", inner.executable, inner.executable, "--proc", "/proc"]
    command += ["--ro-bind", str(INSIDE), "/inside"]
    for path in _of_model(inner.model):
        command += ["--ro-bind", path, path]
    for path in inner.hidden:
        if any(path.startswith(root + "/") for root in inner.roots if not os.path.islink(root)):
            command += ["--tmpfs", path, "--remount-ro", path]
    command += ["--remount-ro", "/", "--chdir", "/", "--"]
    return [*command, inner.executable, *FLAGS, "-c", BOOT, "/inside", module]


def _of_model(folder: str) -> list[str]:
    """Return the folder of a model, and the files that its links lead to, as in Hugging Face's cache."""
    if not folder:
        return []
    real = (os.path.realpath(entry.path) for entry in os.scandir(folder))
    return [folder, *sorted(path for path in real if not path.startswith(folder.rstrip("/") + "/"))]


def seccomp_program(gpu: bool = False) -> bytes:
    """Return the shipped seccomp filter for this machine's architecture, or that for a GPU. Raises SandboxUnavailable."""
    path = HERE / "filters" / f"{platform.machine()}{'-cuda' if gpu else ''}.bpf"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.bpf") if "-" not in p.stem))
        raise SandboxUnavailable(f"there is no seccomp filter for {platform.machine()}: methods can be run on {known}")
    return path.read_bytes()
