"""How much source and target count in the target's attention, as a number or along the steps.

The paper has one number on the target's own keys (arXiv 2411.07232, section 3.2); both sides may also change
by step and by kind of block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from workers.addit.errors import UnsupportedOption


@dataclass(frozen=True)
class WeightFrom:
    """From this step on, until the next entry: a weight for double-stream blocks and one for single-stream
    ones."""

    step: int
    double: float
    single: float


Schedule = tuple[WeightFrom, ...]
"""By ascending step, the first at step 0."""
Weight = float | Schedule


def check_weight(weight: Weight | Literal["auto"]) -> None:
    """Raise `UnsupportedOption` unless a schedule begins at step 0 and its steps ascend."""
    if not isinstance(weight, tuple):
        return
    steps = [entry.step for entry in weight]
    if not steps or steps[0] != 0 or sorted(set(steps)) != steps:
        raise UnsupportedOption(f"a schedule's steps begin at 0 and ascend, not {steps}")


def move_weight(weight: Weight, moved: Callable[[int], int]) -> Weight:
    """The same along another number of steps: `moved` says where a step goes. Entries that meet: the last."""
    if not isinstance(weight, tuple):
        return weight
    entries = {moved(entry.step): replace(entry, step=moved(entry.step)) for entry in weight}
    return tuple(entries.values())


def weight_at(weight: Weight | Tensor, step: int, layer: str) -> float | Tensor:
    """The weight at a step in a layer; numbers and tensors (B, 1, 1, 1) are the same everywhere."""
    if not isinstance(weight, tuple):
        return weight
    entry = next(entry for entry in reversed(weight) if entry.step <= step)
    return entry.double if layer.startswith("transformer_blocks.") else entry.single
