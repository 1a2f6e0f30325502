"""How much memory a worker's engine takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceMemory:
    """Bytes of an accelerator's memory that are used, by whomever, and all it has."""

    used: int
    total: int
