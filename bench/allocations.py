"""Bytes that a computation holds at its fullest, counted on the meta device: real shapes, no numbers.

Counts what eager torch allocates as long as somebody refers to it. Not counted: the workspaces of kernels,
gaps between tensors, the CUDA context.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class FusedAttention(TorchFunctionMode):
    """Attention as fused kernels allocate: the output, and one float32 for each query and head."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        named = dict(zip(("query", "key", "value"), args, strict=False)) | (kwargs or {})
        query, value = named["query"], named["value"]
        kept = query.new_empty(query.shape[:-1], dtype=torch.float32)
        output = query.new_empty(*query.shape[:-1], value.shape[-1])
        del kept
        return output


class Held(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows every new tensor from its making to its end. peak: most bytes held at once."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {_identity(tensor) for tensor in tree_leaves((args, kwargs)) if isinstance(tensor, Tensor)}
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor) and _identity(tensor) not in self._known | given:
                self._hold(tensor)
        return result

    def _hold(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        self._known.add(_identity(tensor))
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._release, _identity(tensor), storage.nbytes())

    def _release(self, identity: int, nbytes: int) -> None:
        self._known.discard(identity)
        self.now -= nbytes


def _identity(tensor: Tensor) -> int:
    identity: int = tensor.untyped_storage()._cdata
    return identity


def peak_bytes(compute: Callable[[], object]) -> int:
    """Most bytes that `compute` holds at once, what it returns included; weights made before do not count."""
    with torch.inference_mode(False), torch.no_grad(), FusedAttention(), Held() as held:
        result = compute()
    del result
    peak: int = held.peak
    return peak
