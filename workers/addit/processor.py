"""The seam into diffusers: an attention processor that lets source and target exchange keys and values.

The transformer stays the unmodified `FluxTransformer2DModel`; what a pass does is said per call, through
`joint_attention_kwargs={"exchange": …}`, so nothing is left behind on the shared model.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor

from workers.addit.exchanging import attend
from workers.addit.rotating import Rotary, rotate

Attending = tuple[Tensor, Tensor, Tensor]
"""Queries, keys and values of one attention."""


class Exchange(Protocol):
    """What one pass of the transformer does at its attention layers."""

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Attending:
        """Called with (B, L, H, D) tensors, text then image tokens; returns who attends to what.

        Keys and values may have become more, and all three wider (see `attention.add_bias`).
        """


class ExchangeAttnProcessor:
    """FLUX's attention, with an `Exchange` between projection and attention."""

    _attention_backend = None
    _parallel_config = None

    def __init__(self, layer: str) -> None:
        self.layer = layer

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_rotary_emb: Rotary | None = None,
        exchange: Exchange | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Double-stream blocks pass the text apart (returned as a pair); single-stream ones in
        `hidden_states`."""
        query, key, value = _project(attn, hidden_states, encoder_hidden_states, image_rotary_emb)
        attended = self.attend(exchange, query, key, value, attention_mask)
        if encoder_hidden_states is None:
            return attended
        text_len = encoder_hidden_states.shape[1]
        image = attn.to_out[1](attn.to_out[0](attended[:, text_len:].contiguous()))
        return image, attn.to_add_out(attended[:, :text_len].contiguous())

    def attend(self, exchange: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """(B, L, H * D) of queries (B, L, H, D)."""
        return attend(self, exchange, query, key, value, mask)


def _project(
    attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None, rotary: Rotary | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys, values (B, L, H, D) after RMS-norm and RoPE, text tokens first."""
    heads = (-1, attn.head_dim)
    query, key, value = (
        torch.unflatten(part, -1, heads) for part in _linear(attn, hidden_states, "to_q to_k to_v", "to_qkv")
    )
    query, key = attn.norm_q(query), attn.norm_k(key)
    if encoder_hidden_states is not None:
        names = "add_q_proj add_k_proj add_v_proj"
        parts = _linear(attn, encoder_hidden_states, names, "to_added_qkv")
        text_query, text_key, text_value = (torch.unflatten(part, -1, heads) for part in parts)
        query = torch.cat([attn.norm_added_q(text_query), query], dim=1)
        key = torch.cat([attn.norm_added_k(text_key), key], dim=1)
        value = torch.cat([text_value, value], dim=1)
    if rotary is not None:
        query, key = rotate(rotary, query, key)
    return query, key, value


def _linear(attn: Any, states: Tensor, separate: str, fused: str) -> list[Tensor]:
    """Three projections of (B, L, E), by one matrix product where `fuse_qkv_projections` was called."""
    if attn.fused_projections:
        return list(getattr(attn, fused)(states).chunk(3, dim=-1))
    return [getattr(attn, name)(states) for name in separate.split()]


def attention_layers(transformer: FluxTransformer2DModel) -> tuple[str, ...]:
    """Names of the attention layers in the order they run: `transformer_blocks.0`, …,
    `single_transformer_blocks.0`, …"""
    double = (f"transformer_blocks.{i}" for i in range(len(transformer.transformer_blocks)))
    single = (f"single_transformer_blocks.{i}" for i in range(len(transformer.single_transformer_blocks)))
    return (*double, *single)
