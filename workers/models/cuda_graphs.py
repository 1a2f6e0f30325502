"""CUDA graphs: a pass of the transformer as one launch in place of thousands."""

from __future__ import annotations

import weakref

import torch

from workers.addit.replaying import Compute


class CudaRecorder:
    """A `Recorder`. Its graphs share a pool of memory: they are replayed one at a time, and what one gave is
    copied before the next."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._graphs = weakref.WeakSet[torch.cuda.CUDAGraph]()

    def record(self, compute: Compute) -> Compute:
        """Capture it; other threads may go on using the device meanwhile."""
        graph = torch.cuda.CUDAGraph()
        pool = next((other.pool() for other in self._graphs), None)
        with (
            torch.cuda.device(self._device),
            torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"),
        ):
            made = compute()
        self._graphs.add(graph)

        def replay() -> torch.Tensor | None:
            graph.replay()
            return made

        return replay

    def room(self) -> int:
        """What the driver has, and what torch holds and does not use."""
        free, _ = torch.cuda.mem_get_info(self._device)
        held = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        return int(free + held)

    def settle(self) -> None:
        """Memory of a graph must not be given to others while it runs."""
        torch.cuda.synchronize(self._device)
