"""What does not work behind the walls, called in the plainest way."""

import importlib

import torch

HANDS = ("Queue", "SimpleQueue", "JoinableQueue", "Manager", "Pipe", "Lock", "RLock", "Event", "Condition", "Semaphore")


def calls(x, y):
    """Return what to call, by name."""
    processes = importlib.import_module("torch.multiprocessing")
    found = {f"torch.multiprocessing.{name}": lambda name=name: getattr(processes, name)() for name in HANDS}
    return found | {
        "torch.multiprocessing.Process": lambda: processes.Process(target=print).start(),
        "torch.multiprocessing.spawn": lambda: processes.spawn(print, nprocs=1),
        "torch.multiprocessing.start_processes": lambda: processes.start_processes(print, nprocs=1, start_method="fork"),
        "torch.multiprocessing.Value": lambda: processes.Value("d", 0.0),
        "torch.multiprocessing.Array": lambda: processes.Array("d", 3),
        "torch.multiprocessing.Barrier": lambda: processes.Barrier(2),
        "torch.distributed.init_process_group": lambda: torch.distributed.init_process_group(
            "gloo", store=torch.distributed.HashStore(), rank=0, world_size=1),
        "torch.hub": lambda: torch.hub.load("pytorch/vision", "resnet18", trust_repo=True),
        "torch.from_file": lambda: torch.from_file("/tmp/x", shared=True, size=4),
        "torch.utils.tensorboard": lambda: importlib.import_module("torch.utils.tensorboard").SummaryWriter(),
        "torch.utils.cpp_extension": lambda: importlib.import_module("torch.utils.cpp_extension").load_inline(
            "one", "int one() { return 1; }", functions=["one"]),
        "scipy.datasets": lambda: importlib.import_module("scipy.datasets").face(),
        "numpy.memmap": lambda: importlib.import_module("numpy").memmap("/tmp/x", mode="w+", shape=(3,)),
        "numpy.show_runtime": lambda: importlib.import_module("numpy").show_runtime(),
        "sklearn.show_versions": lambda: importlib.import_module("sklearn").show_versions(),
        "sklearn.utils.all_estimators": lambda: importlib.import_module("sklearn.utils").all_estimators(),
    }  # fmt: skip
