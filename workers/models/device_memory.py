"""How full the accelerator is that a model runs on."""

from __future__ import annotations

import torch


def device_memory(device: torch.device) -> tuple[int, int] | None:
    """(bytes used, bytes in all), as its driver counts them, so that what the caching allocator holds back
    counts as used; None for the processor's own memory, or where a broken driver does not answer."""
    if device.type != "cuda":
        return None
    try:
        free, total = torch.cuda.mem_get_info(device)
    except RuntimeError:  # after an error that sticks every call fails: the engine is replaced for that
        return None
    return total - free, total
