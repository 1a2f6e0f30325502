"""Attention with an exchange before it, whose call is kept out of compiled graphs."""

from __future__ import annotations

from dataclasses import dataclass, field
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


class PassComplete(Exception):
    """Everything that was wanted of a pass has been seen: the rest of it is not needed."""


@dataclass(frozen=True)
class SharedExchange:
    """One pass for several who asked, each with its own exchange, keys and lent source.

    Everything but attention is done for all rows at once. Attention, whose keys differ in number and in what
    is lent, is done part by part: so passes of any steps share, of sources and of targets.

    parts: rows and exchange of each, in the order of the batch
    ended: parts that have seen all they wanted; their rows go on, to nobody's use, until all have
    """

    parts: tuple[tuple[int, Any], ...]
    ended: set[int] = field(default_factory=set)


@torch.compiler.disable  # type: ignore[untyped-decorator]
def attend_parts(
    processor: Any, shared: SharedExchange, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> Tensor:
    """(B, L, H * D). Raises `PassComplete` once nobody wants more."""
    sizes, attended = [rows for rows, _ in shared.parts], []
    queries, keys, values = (torch.split(part, sizes) for part in (query, key, value))
    for index, (part_query, part_key, part_value) in enumerate(zip(queries, keys, values, strict=True)):
        exchange = None if index in shared.ended else shared.parts[index][1]
        try:
            attended.append(attend(processor, exchange, part_query, part_key, part_value, mask))
        except PassComplete:
            shared.ended.add(index)
            attended.append(attend(processor, None, part_query, part_key, part_value, mask))
    if len(shared.ended) == len(shared.parts):
        raise PassComplete
    return torch.cat(attended)


def attend(
    processor: Any, exchange: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None
) -> Tensor:
    """(B, L, H * D) of queries (B, L, H, D), to the keys and values that `exchange` gives.

    Where it gives wider ones, the scale is still that of D channels, and the result is their first D.
    """
    if isinstance(exchange, SharedExchange):
        together: Tensor = attend_parts(processor, exchange, query, key, value, attention_mask)
        return together
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
