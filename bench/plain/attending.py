"""Attention of a batch of two, the source's row and the target's (method of sections 1 and 3). Knows no step.

The target's row is lent the source's image keys where a pass says so. Where it is looked at, the whole matrix
of probabilities is made, and the result is read from it.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from torch import Tensor

from workers.addit.backbones.borrowing import borrowed_attention
from workers.addit.rotating import rotate

SOURCE, TARGET = slice(0, 1), slice(1, 2)


@dataclass
class Maps:
    """Subject rows and columns (I,) of a step, one of each a recorded layer."""

    rows: list[Tensor] = field(default_factory=list)
    columns: list[Tensor] = field(default_factory=list)


@dataclass(frozen=True)
class PlainPass:
    """What one pass does at its attention layers.

    extended: layers in which the target sees the source; gamma: on the target's own keys
    recorded: layers that are looked at, for the text tokens `subject`; seen: what was found there
    """

    text_len: int
    extended: frozenset[str] = frozenset()
    gamma: float = 1.0
    recorded: frozenset[str] = frozenset()
    subject: tuple[int, ...] = ()
    seen: Maps = field(default_factory=Maps)

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """(B, L, H, D) of B rows: two, or the source alone."""
        if layer not in self.extended | self.recorded:
            return fused(query, key, value)
        own = fused(query[SOURCE], key[SOURCE], value[SOURCE])
        keys, values = key[TARGET], value[TARGET]
        if layer in self.extended:
            keys = torch.cat([key[SOURCE, self.text_len :], self.gamma * keys], dim=1)
            values = torch.cat([value[SOURCE, self.text_len :], values], dim=1)
        if layer not in self.recorded:
            return torch.cat([own, fused(query[TARGET], keys, values)])
        probabilities = dense(query[TARGET], keys)
        self._note(probabilities)
        return torch.cat([own, torch.einsum("bhlm,bmhd->blhd", probabilities.to(values.dtype), values)])

    def _note(self, probabilities: Tensor) -> None:
        mean = probabilities.mean(dim=1)[0]
        subject = torch.tensor(self.subject, device=mean.device)
        own = mean[:, mean.shape[1] - mean.shape[0] :]
        self.seen.rows.append(own[subject, self.text_len :].mean(dim=0))
        self.seen.columns.append(own[self.text_len :, subject].mean(dim=1))


def fused(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The attention that the engine uses."""
    attended: Tensor = dispatch_attention_fn(query, key, value)
    return attended


def dense(query: Tensor, key: Tensor) -> Tensor:
    """(B, H, L, M) probabilities, float32."""
    logits: Tensor = torch.einsum("blhd,bmhd->bhlm", query, key).float()
    return torch.softmax(logits / math.sqrt(query.shape[-1]), dim=-1)


class PlainProcessor:
    """FLUX's attention, by the `PlainPass` that a call of the transformer is given as `plain`."""

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
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
        plain: PlainPass | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        assert plain is not None
        heads = (-1, attn.head_dim)
        query, key, value = (
            part(hidden_states).unflatten(-1, heads) for part in (attn.to_q, attn.to_k, attn.to_v)
        )
        query, key = attn.norm_q(query), attn.norm_k(key)
        if encoder_hidden_states is not None:
            projections = (attn.add_q_proj, attn.add_k_proj, attn.add_v_proj)
            texts = [part(encoder_hidden_states).unflatten(-1, heads) for part in projections]
            query = torch.cat([attn.norm_added_q(texts[0]), query], dim=1)
            key = torch.cat([attn.norm_added_k(texts[1]), key], dim=1)
            value = torch.cat([texts[2], value], dim=1)
        assert image_rotary_emb is not None
        query, key = rotate(image_rotary_emb, query, key)
        attended = plain(self.layer, query, key, value).flatten(2)
        if encoder_hidden_states is None:
            return attended
        text_len = encoder_hidden_states.shape[1]
        image = attn.to_out[1](attn.to_out[0](attended[:, text_len:]))
        return image, attn.to_add_out(attended[:, :text_len])


def plain_processors(transformer: Any) -> AbstractContextManager[None]:
    """Lend the transformer this attention."""
    names = transformer.attn_processors
    ours = {name: PlainProcessor(name.removesuffix(".attn.processor")) for name in names}
    return borrowed_attention(transformer, ours)
