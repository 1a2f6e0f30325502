"""What an edit remembers of its source: keys and values of its image tokens, by step and layer.

They do not depend on the target's prompt, seed, gamma or mask, so one source serves any number of variations.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class StepMemory:
    """One step: (1, S, H, D) keys and values per layer, and the source's velocity (1, S, C) where it was
    computed."""

    lent: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    velocity: Tensor | None = None

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        tensors = [tensor for pair in self.lent.values() for tensor in pair]
        return sum(
            tensor.nbytes for tensor in (*tensors, *([] if self.velocity is None else [self.velocity]))
        )


class SourceMemory:
    """Steps of one source. Holds at most `max_bytes`; a step that does not fit is computed again when it is
    needed."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._steps: dict[int, StepMemory] = {}

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(step.nbytes for step in self._steps.values())

    def get(self, step: int) -> StepMemory | None:
        """The step as remembered, or None."""
        return self._steps.get(step)

    def has_room(self, nbytes: int) -> bool:
        """Whether so many more bytes fit."""
        return self.nbytes + nbytes <= self.max_bytes

    def keep(self, step: int, memory: StepMemory) -> bool:
        """Remember a step if it fits; says whether it did."""
        if not self.has_room(memory.nbytes):
            return False
        self._steps[step] = memory
        return True

    def drop(self, step: int) -> None:
        """Forget a step."""
        self._steps.pop(step, None)
