"""The call of an exchange, kept out of compiled graphs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


@torch.compiler.disable  # type: ignore[untyped-decorator]
def exchange_at(
    processor: Any, exchange: Any, query: Tensor, key: Tensor, value: Tensor
) -> tuple[Tensor, Tensor]:
    """What `exchange` gives at the processor's layer.

    A graph ends before it and another begins after it. A graph that held it would know the layer's name and
    whether the pass lends, extends or records, so every block would need graphs of its own.
    """
    pair: tuple[Tensor, Tensor] = exchange(processor.layer, query, key, value)
    return pair
