"""Attention maps of one pass used in another: what Prompt-to-Prompt (arXiv 2208.01626) does, in the joint
attention of a rectified-flow transformer, where text and image tokens share one softmax.

A map is never written out: its share on some columns, times values, is attention with all other values zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from workers.addit.backbones.flux import FluxBackbone
from workers.addit.processor import Attending, ExchangeAttnProcessor

MASS_WIDTH = 8
"""Columns that carry a row's mass beside its values: fused kernels want widths that are multiples of it."""


@dataclass(frozen=True)
class KeepMaps:
    """Exchange of a source pass: keeps queries and keys of every layer, which are its maps."""

    kept: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Attending:
        self.kept[layer] = (query, key)
        return query, key, value


@dataclass(frozen=True)
class InjectMaps:
    """Exchange of a target pass whose image tokens look at the columns of `words`, and with `image` at the
    image, as the source's did.

    words: pairs of text positions (source, target)
    """

    maps: KeepMaps
    words: Sequence[tuple[int, int]]
    text_len: int
    image: bool

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Attending:
        return query, key, value

    def attended(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """(B, L, H, D) of (B, L, H, D) each."""
        source_query, source_key = self.maps.kept[layer]
        from_source, from_target = self._columns(value)
        told, own = query[:, : self.text_len], query[:, self.text_len :]
        first = share(source_query[:, self.text_len :], source_key, *from_source)
        second = share(own, key, *from_target)
        values = (first[0] + second[0]) / (first[1] + second[1])
        return torch.cat([_attend(told, key, value), values.to(value)], dim=1)

    def _columns(self, value: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Values (B, L, H, D) with the columns (L,) that count, in the source's order and in the target's."""
        before, after = ([pair[side] for pair in self.words] for side in (0, 1))
        length = value.shape[1]
        injected, replaced = torch.zeros(2, length, dtype=torch.bool, device=value.device)
        injected[before], replaced[after] = True, True
        injected[self.text_len :] = replaced[self.text_len :] = self.image
        moved = value.clone()
        moved[:, before] = value[:, after]
        return (moved, injected), (value, ~replaced)


def share(query: Tensor, key: Tensor, value: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """What queries (B, L, H, D) get from some of the keys (B, M, H, D), and how much of their attention that
    is: (B, L, H, D) and (B, L, H, 1), float32; `columns` (M,) are those that count."""
    chosen = columns[None, :, None, None].to(value)
    mass = chosen.expand(*value.shape[:3], MASS_WIDTH)
    out = _attend(query, key, torch.cat([value * chosen, mass], dim=-1)).float()
    return out[..., :-MASS_WIDTH], out[..., -1:]


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention in diffusers' order of axes, (B, L, H, D)."""
    query, key, value = (part.transpose(1, 2) for part in (query, key, value))
    return F.scaled_dot_product_attention(query, key, value).transpose(1, 2)


class InjectingAttnProcessor(ExchangeAttnProcessor):
    """FLUX's attention, which an `InjectMaps` may carry out itself."""

    def attend(
        self, exchange: object, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
    ) -> Tensor:
        """(B, L, H * D) of queries (B, L, H, D)."""
        if isinstance(exchange, InjectMaps):
            return exchange.attended(self.layer, query, key, value).flatten(2, 3)
        return super().attend(exchange, query, key, value, mask)


@dataclass(frozen=True)
class InjectingFlux(FluxBackbone):
    """FLUX.1 with that attention."""

    def exchange_processors(self) -> AbstractContextManager[None]:
        """See `Backbone`."""
        return self._lent(InjectingAttnProcessor)
