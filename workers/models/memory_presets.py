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
    keeps_sources: remember sources' keys and values on the device; else they are computed when needed
    """

    quantization: Quantization = "none"
    offload: Offload = "none"
    keeps_sources: bool = True


MEMORY_PRESETS: Mapping[str, MemoryPreset] = {
    "full": MemoryPreset(),
    "fp8": MemoryPreset("fp8", "model", keeps_sources=False),
    "nf4": MemoryPreset("nf4", "model", keeps_sources=False),
    "group": MemoryPreset("none", "group", keeps_sources=False),
}
