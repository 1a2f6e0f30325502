"""Named ways to fit a card. What each needs of it is computed by `python -m bench.memory`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from workers.models.quantization import Quantization

Offload = Literal["none", "model", "group"]


@dataclass(frozen=True)
class MemoryPreset:
    """quantization: of the transformer's weights.

    offload: keep idle models ("model") or blocks ("group") in host memory
    source_memory_bytes: most that one edit may hold of its source's keys and values at a time
    """

    quantization: Quantization = "none"
    offload: Offload = "none"
    source_memory_bytes: int = 2 * 2**30


MEMORY_PRESETS: Mapping[str, MemoryPreset] = {
    "full": MemoryPreset(),
    "fp8": MemoryPreset("fp8", "model", 0),
    "nf4": MemoryPreset("nf4", "model", 0),
    "group": MemoryPreset("none", "group", 0),
}
