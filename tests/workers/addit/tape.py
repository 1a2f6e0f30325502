"""A recorder without CUDA that is as blind as a CUDA graph.

Notes every kernel with the very tensors it read and wrote; replaying runs those kernels again and none of the
Python around them, so whatever a pass took from anywhere but its static buffers stays as it was then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from workers.addit.replaying import Compute


@dataclass
class Tape:
    """A `Recorder`. free: what `room` says; broken: recording fails; passes: recorded so far."""

    free: int = 2**40
    broken: bool = False
    passes: int = 0
    settled: int = 0

    def record(self, compute: Compute) -> Compute:
        if self.broken:
            raise RuntimeError("operation not permitted when stream is capturing")
        kernels = Kernels()
        with kernels:
            made = compute()
        self.passes += 1

        def replay() -> Tensor | None:
            for again in kernels.noted:
                again()
            return made

        return replay

    def room(self) -> int:
        return self.free

    def settle(self) -> None:
        self.settled += 1


@dataclass(eq=False)
class Kernels(TorchDispatchMode):
    """Inside, all that runs."""

    noted: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        places = {_place(part) for part in _tensors((args, kwargs))}
        made = func(*args, **kwargs)
        new = [part if _place(part) not in places else None for part in _tensors(made)]

        def again() -> None:
            for place, part in zip(new, _tensors(func(*args, **kwargs)), strict=True):
                if place is not None:
                    place.copy_(part)

        self.noted.append(again)
        return made


def _tensors(tree: Any) -> list[Tensor]:
    return [part for part in tree_leaves(tree) if isinstance(part, Tensor)]


def _place(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
