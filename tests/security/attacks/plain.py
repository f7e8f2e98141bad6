"""An evaluator without walls, as many engines have it: a fork of the process that holds the labels, and a pickle back.

The attacks run here too, to show that they work where nothing stops them. Run by arena.py, by lines of JSON.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import signal
import sys
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import sklearn.datasets  # noqa: F401  (loaded already, as in an engine that uses it)
import torch


def inputs(rows: int) -> SimpleNamespace:
    """Return a problem in shared memory, as torch's own multiprocessing would hand it on."""
    rng = np.random.default_rng(0)
    arrays = [torch.from_numpy(rng.random(shape, np.float32)).share_memory_() for shape in ((400, 16), (400, 2), (rows, 16))]
    return SimpleNamespace(train_x=arrays[0], weak=arrays[1], test_x=arrays[2], pairs=None, seed=1, n_classes=2)


def judge(source: str, labels: np.ndarray, problem: SimpleNamespace) -> tuple[object, float]:
    """Run a method and score it beside the labels."""
    module = ModuleType("method")
    sys.modules["method"] = module
    exec(compile(source, "method.py", "exec"), module.__dict__)
    predictions = module.method(problem)
    if not hasattr(predictions, "__array__"):
        return predictions, 0.0
    chosen = np.asarray(predictions).reshape(len(labels), -1)[:, -1] > 0.5
    return np.array(predictions), float(np.mean(np.equal(chosen, labels)))


def child(source: str, task: dict[str, Any], reply: int, output: int) -> None:
    """Judge in this process and send a pickle."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    try:
        found = ("OK", *judge(source, task["labels"], task["problem"]))
    except BaseException as error:
        found = ("CRASHED", str(error), 0.0)
    with open(reply, "wb") as pipe:
        pickle.dump(found, pipe)


def run(source: str, task: dict[str, Any], seconds: float) -> dict[str, object]:
    """Run one attack; say what came of it."""
    reading, writing = os.pipe()
    output = os.memfd_create("output")
    began = time.monotonic()
    process = os.fork()
    if process == 0:
        child(source, task, writing, output)
        sys.exit(0)
    os.close(writing)
    found = {"status": "RUNNING", "values": [], "score": 0.0, "message": ""}
    if select.select([reading], [], [], seconds)[0]:
        with open(reading, "rb") as pipe:
            data = pipe.read(1 << 20)
        try:
            status, values, score = pickle.loads(data)
            message = values if isinstance(values, str) else ""
            values = np.asarray(values, dtype=float).ravel().tolist() if hasattr(values, "__array__") else []
            found = {"status": status, "values": values, "score": score, "message": message}
        except EOFError:
            said = os.pread(output, 400, 0).decode("latin-1")
            found = {"status": "CRASHED", "values": [], "score": 0.0, "message": said}
        except Exception as error:
            found = {"status": "BROKEN", "values": [], "score": 0.0, "message": type(error).__name__}
    found["seconds"] = time.monotonic() - began
    select.select([], [], [], 0.05)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(output)
    return found


def main() -> None:
    """Serve attacks until stdin closes; the arguments are a file of labels and a secret's file."""
    labels = np.load(sys.argv[1])
    vault = open(sys.argv[2], "rb")  # noqa: SIM115  (open for good: an evaluator that forks hands it on)
    task = {"labels": labels, "problem": inputs(len(labels)), "key": vault.read(), "folder": os.open("/", os.O_RDONLY)}
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(run(request["source"], task, request["seconds"])), flush=True)


if __name__ == "__main__":
    main()
