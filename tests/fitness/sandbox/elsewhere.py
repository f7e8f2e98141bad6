"""A second device that needs no hardware: its tensors lie on the CPU, but an operation that mixes the two devices is refused.

CUDA's rule, a little stricter: only copies cross, and only numbers without dimensions may come along. What is computed there is
what the CPU computes, so code that keeps to the device of what it is given returns the very same answers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils import _pytree as pytree
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode

AVAILABLE = hasattr(backend_registration, "_setup_privateuseone_for_python_backend")
if AVAILABLE:
    backend_registration._setup_privateuseone_for_python_backend("elsewhere")
    DEVICE = torch.device("elsewhere", 0)
    torch.elsewhere.get_amp_supported_dtype = lambda: [torch.bfloat16]  # checkpoints of other tests in this process ask for it
CROSSING = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}


class Elsewhere(torch.Tensor):
    """A tensor on the second device; `plain` holds its values."""

    plain: torch.Tensor

    @staticmethod
    def __new__(cls, plain: torch.Tensor) -> Elsewhere:
        made = torch.Tensor._make_wrapper_subclass(
            cls, plain.size(), strides=plain.stride(), storage_offset=plain.storage_offset(), dtype=plain.dtype, device=DEVICE
        )
        made.plain = plain
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _dispatch(func, args, kwargs or {})


class SecondDevice(TorchDispatchMode):
    """While it is entered, tensors can be made on the second device and moved there."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _dispatch(func, args, kwargs or {})


def _dispatch(func: Any, args: Any, kwargs: Any) -> Any:
    tensors = [leaf for leaf in pytree.tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    there = {id(tensor.plain): tensor for tensor in tensors if isinstance(tensor, Elsewhere)}
    if there and func not in CROSSING and any(t.dim() and not isinstance(t, Elsewhere) for t in tensors):
        raise RuntimeError(f"{func} was given tensors on two devices")
    args, kwargs = pytree.tree_map_only(Elsewhere, lambda tensor: tensor.plain, (args, kwargs))
    target = kwargs.get("device")
    if target is not None:
        kwargs["device"] = torch.device("cpu")
    moved = bool(there) if target is None else target.type == DEVICE.type

    def wrapped(tensor: torch.Tensor) -> torch.Tensor:
        return there[id(tensor)] if id(tensor) in there else Elsewhere(tensor) if moved else tensor

    return pytree.tree_map_only(torch.Tensor, wrapped, func(*args, **kwargs))
