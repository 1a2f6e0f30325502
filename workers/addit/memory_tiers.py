"""Where remembered tensors lie: on the model's device, in pinned host memory, or on disk. All are bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

import torch

from workers.addit.transfers import Tensors, move_all

CPU = torch.device("cpu")


class Tier(Protocol):
    """A place for tensors. `used` counts what is in it; whoever puts more in than `max_bytes` breaks the
    bound. `evictions` counts what had to make room, ever."""

    name: str
    max_bytes: int
    used: int
    evictions: int

    def hold(self, tensors: Tensors) -> Held:
        """Take them in."""


@dataclass
class Held:
    """Tensors in a tier, until they are dropped."""

    tier: Tier
    nbytes: int
    load: Callable[[torch.device], Tensors]
    remove: Callable[[], None] = lambda: None

    def drop(self) -> None:
        """Give the room back."""
        self.tier.used -= self.nbytes
        self.remove()


class DeviceTier:
    """Where the model computes: nothing is copied."""

    name = "device"

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes, self.used, self.evictions = max_bytes, 0, 0

    def hold(self, tensors: Tensors) -> Held:
        """See `Tier`."""
        nbytes = _nbytes(tensors)
        self.used += nbytes
        return Held(self, nbytes, lambda device: tensors)


class HostTier:
    """Host memory, pinned where a GPU fetches from it: the host goes on while a copy runs."""

    name = "host"

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes, self.used, self.evictions = max_bytes, 0, 0

    def hold(self, tensors: Tensors) -> Held:
        """See `Tier`."""
        kept = move_all(tensors, CPU)
        nbytes = _nbytes(kept)
        self.used += nbytes
        return Held(self, nbytes, lambda device: move_all(kept, device))


class DiskTier:
    """A folder of files, emptied at the start: it outlives no process."""

    name = "disk"

    def __init__(self, max_bytes: int, folder: Path) -> None:
        self.max_bytes, self.used, self.evictions = max_bytes, 0, 0
        self._folder, self._names = folder, count()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left_behind in folder.glob("*.pt"):
            left_behind.unlink()

    def hold(self, tensors: Tensors) -> Held:
        """See `Tier`."""
        file = self._folder / f"{next(self._names)}.pt"
        torch.save(move_all(tensors, CPU), file)
        nbytes = _nbytes(tensors)
        self.used += nbytes
        return Held(self, nbytes, lambda device: torch.load(file, device, weights_only=True), file.unlink)


def _nbytes(tensors: Tensors) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())
