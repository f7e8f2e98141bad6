"""Keeps what a method set for itself out of our own arithmetic: torch's global and thread-wide settings, and warnings.

Loaded inside the sandbox, and by the builder for the ceiling; imports nothing of ours.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch

_SMALLEST = 5e-324  # the smallest float above 0; equal to 0 for a processor that was told to flush such numbers


class Setting(NamedTuple):
    """A setting of torch's.

    Attributes:
        read: returns it.
        put: sets it.
        usual: what it may be; the first is set where it is something else.
    """

    read: Callable[[], Any]
    put: Callable[[Any], object]
    usual: tuple[Any, ...]


def _precisions() -> Iterator[Setting]:
    """Yield how exactly matrices of float32 are multiplied, by backend; torch before 2.9 has one setting for all."""
    matmuls = [getattr(backend, "matmul", None) for backend in (torch.backends.mkldnn, torch.backends.cuda)]
    if not all(hasattr(matmul, "fp32_precision") for matmul in matmuls):
        yield Setting(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, ("highest",))
        return
    for matmul in matmuls:
        yield Setting(partial(getattr, matmul, "fp32_precision"), partial(setattr, matmul, "fp32_precision"), ("ieee", "none"))


SETTINGS = (
    Setting(torch.get_default_dtype, torch.set_default_dtype, (torch.float32,)),
    Setting(torch.get_num_threads, torch.set_num_threads, (1,)),
    Setting(torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode, (0,)),
    Setting(lambda: _SMALLEST == 0.0, torch.set_flush_denormal, (False,)),
    *_precisions(),
)


@contextmanager
def usual_settings(device: torch.device | str) -> Iterator[None]:
    """Compute as where nobody has set anything, without gradients; what was set is set again at the end.

    `device` takes the place of a default device that was set: there a loss of the method's own may make its tensors.
    """
    with ExitStack() as stack:
        if any(action == "error" for action, *_ in warnings.filters):
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("default")
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.no_grad())
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device(device))
        for read, put, usual in SETTINGS:
            if (now := read()) not in usual:
                stack.callback(put, now)
                put(usual[0])
        yield
