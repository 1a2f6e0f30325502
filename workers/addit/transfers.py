"""Tensors on their way between host and GPU, through pinned memory.

What is not pinned the driver copies twice, and nobody can go on meanwhile.
"""

from __future__ import annotations

import torch
from torch import Tensor

Tensors = dict[str, Tensor]


def move(tensor: Tensor, device: torch.device) -> Tensor:
    """The same on `device`, or itself where it is there already."""
    return move_all({"": tensor}, device)[""]


def move_all(tensors: Tensors, device: torch.device) -> Tensors:
    """The same on `device`.

    To a GPU copies are started, and whatever uses them there comes after them. From a GPU all are started
    and then waited for together; what comes back is pinned.
    """
    if device.type == "cuda":
        return {name: _pinned(tensor).to(device, non_blocking=True) for name, tensor in tensors.items()}
    sent = {tensor.device for tensor in tensors.values() if tensor.is_cuda and device.type == "cpu"}
    moved = {
        name: start_copy(tensor, pinned=True) if tensor.device in sent else tensor.to(device)
        for name, tensor in tensors.items()
    }
    for sender in sent:
        torch.cuda.current_stream(sender).synchronize()
    return moved


def start_copy(tensor: Tensor, pinned: bool) -> Tensor:
    """A contiguous copy in host memory, complete once the tensor's device has come so far."""
    copy = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu", pin_memory=pinned)
    return copy.copy_(tensor, non_blocking=True)


def _pinned(tensor: Tensor) -> Tensor:
    """Itself where it is pinned or on a GPU. torch keeps pinned memory until copies from it are done."""
    return tensor.pin_memory() if tensor.device.type == "cpu" and not tensor.is_pinned() else tensor
