"""torch.compile for the blocks a transformer repeats: one compilation serves them all."""

from __future__ import annotations

from typing import Any

from workers.models.errors import UnsupportedSetting
from workers.models.memory_presets import Offload


def compile_blocks(transformer: Any, offload: Offload) -> None:
    """Compile every block in place; the first passes of every shape and kind of attention then take longer.

    Raises `UnsupportedSetting` where blocks come and go.
    """
    if offload == "group":
        raise UnsupportedSetting(
            "compiled blocks cannot be offloaded block by block: leave out one of the two"
        )
    for name in ("transformer_blocks", "single_transformer_blocks"):
        for block in getattr(transformer, name, ()):
            block.compile(dynamic=True)
