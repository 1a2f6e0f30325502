"""Attention with an exchange before it, whose call is kept out of compiled graphs."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from torch import Tensor


@torch.compiler.disable  # type: ignore[untyped-decorator]
def exchange_at(
    processor: Any, exchange: Any, query: Tensor, key: Tensor, value: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """What `exchange` gives at the processor's layer.

    A graph ends before it and another begins after it. A graph that held it would know the layer's name and
    whether the pass lends, extends or records, so every block would need graphs of its own.
    """
    exchanged: tuple[Tensor, Tensor, Tensor] = exchange(processor.layer, query, key, value)
    return exchanged


def attend(
    processor: Any, exchange: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None
) -> Tensor:
    """(B, L, H * D) of queries (B, L, H, D), to the keys and values that `exchange` gives.

    Where it gives wider ones, the scale is still that of D channels, and the result is their first D.
    """
    width = query.shape[-1]
    if exchange is not None:
        query, key, value = exchange_at(processor, exchange, query, key, value)
    widened = query.shape[-1] != width
    attended: Tensor = dispatch_attention_fn(
        query,
        key,
        value,
        attn_mask=attention_mask,
        scale=width**-0.5 if widened else None,
        backend=processor._attention_backend,
        parallel_config=processor._parallel_config,
    )
    if widened:
        attended = attended[..., :width]
    return attended.flatten(2, 3).to(query.dtype)
