"""What an edit was before its first blend, kept beside its source: another mask costs the steps after it.

It fills the same tiers, makes room with its source, and is forgotten with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from workers.addit.blending import Blend
from workers.addit.config import AdditConfig
from workers.addit.source_memory import SourceMemory


@dataclass(frozen=True)
class BlendState:
    """A blend as a tier keeps it. Its step and a gamma that is a number stand in the edit's settings."""

    blend: Blend

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(tensor.nbytes for tensor in self.tensors().values())

    def tensors(self) -> dict[str, Tensor]:
        """All of it by name."""
        blend = self.blend
        named = {"latents": blend.latents, "x0": blend.x0, "maps": blend.maps}
        return named | ({"scale": blend.scale} if isinstance(blend.scale, Tensor) else {})


def keep_blend(memory: SourceMemory, name: str, blends: tuple[Blend, ...]) -> None:
    """Remember the first blend of an edit by the edit's name, where there is room."""
    if name and blends:
        memory.store.keep(memory, f"blend {name}", BlendState(blends[0]))


def recall_blend(memory: SourceMemory, name: str, config: AdditConfig, rows: int) -> Blend | None:
    """The first blend of the edit of that name, of as many `rows`, or None where it is gone.

    config: that edit's, but for how the subject is found and blended
    """
    held = memory.held.get(f"blend {name}") if name else None
    if held is None or not config.blend_steps:
        return None
    state = held.load(memory.store.device)
    scale = state.get("scale", config.extended_scale)
    if isinstance(scale, str) or len(state["latents"]) != rows:
        return None
    nothing = torch.zeros(rows, state["latents"].shape[1], 1)
    return Blend(min(config.blend_steps), state["latents"], state["x0"], state["maps"], (), nothing, scale)
