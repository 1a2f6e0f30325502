"""Weighted extended self-attention (arXiv 2411.07232, section 3.2). Pure tensor math: knows no model, step
or queue.

Tensors are (B, L, H, D), diffusers' layout. Keys and values come in after RMS-norm and RoPE.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

EXTRA = 8
"""Channels that a bias takes: one would do, but fused kernels want widths that 8 divides."""


def extend(
    key: Tensor,
    value: Tensor,
    source_key: Tensor,
    source_value: Tensor,
    scale: float | Tensor,
    source_scale: float | Tensor = 1.0,
) -> tuple[Tensor, Tensor]:
    """Put the source's image tokens, weighing `source_scale`, before the target's own, whose keys weigh
    `scale`.

    key, value: (B, L, H, D), text then image tokens of the target
    source_key, source_value: (1, S, H, D), image tokens of the source, lent to every row of the batch
    scale, source_scale: numbers, or one a row (B, 1, 1, 1)

    Scaling a key scales its logits, so any fused attention kernel computes the weighted form exactly: no
    mask, no bias.
    """
    rows = key.shape[0]
    lent = _weighted(source_key, source_scale)
    keys = torch.cat([lent.expand(rows, -1, -1, -1), _weighted(key, scale)], dim=1)
    values = torch.cat([source_value.expand(rows, -1, -1, -1), value], dim=1)
    return keys, values


def _weighted(key: Tensor, weight: float | Tensor) -> Tensor:
    """In the key's dtype. A weight of 1 costs nothing; one a row stays float32, where 1.05 is not 1.047."""
    if isinstance(weight, Tensor):
        return (key * weight.to(key.device)).to(key.dtype)
    return key if weight == 1 else key * weight


def add_bias(
    query: Tensor, key: Tensor, value: Tensor, of_query: Tensor, of_key: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The same attention with `of_query[q] * of_key[k]` added to the logit of query q and key k.

    query: (B, L, H, D); key, value: (B, M, H, D); of_query: (L,); of_key: (M,)
    Returns all three `EXTRA` channels wider: attend with the scale of the D there were, 1 / sqrt(D), and keep
    the first D channels of the result. A bias of rank one is one more term of the dot product, so any fused
    kernel computes it: no L x M mask.
    """
    wide_query = _with_channel(query, of_query * math.sqrt(query.shape[-1]))
    return wide_query, _with_channel(key, of_key), F.pad(value, (0, EXTRA))


def _with_channel(states: Tensor, channel: Tensor) -> Tensor:
    """(B, L, H, D + EXTRA): `channel` (L,) behind the states of every head, then zeros."""
    wider = F.pad(states, (0, EXTRA))
    wider[..., states.shape[-1]] = channel.to(states)[:, None]
    return wider


def attention_rows(query: Tensor, key: Tensor) -> Tensor:
    """Probabilities (B, L, M) of a few queries (B, L, H, D) over all keys (B, M, H, D), mean of the heads."""
    return _logits(query, key).softmax(dim=-1).mean(dim=1)


def attention_columns(query: Tensor, key: Tensor, columns: Tensor, chunk: int = 512) -> Tensor:
    """Probabilities (B, L, n) that queries (B, L, H, D) give to the keys at `columns` (n,), mean of the
    heads.

    Normalised over all keys (B, M, H, D) through a logsumexp, `chunk` queries at a time: the L x M matrix
    never exists.
    """
    return torch.cat([_columns(part, key, columns) for part in torch.split(query, chunk, dim=1)], dim=1)


def _columns(query: Tensor, key: Tensor, columns: Tensor) -> Tensor:
    logits = _logits(query, key)
    return (logits[..., columns] - logits.logsumexp(dim=-1, keepdim=True)).exp().mean(dim=1)


def _logits(query: Tensor, key: Tensor) -> Tensor:
    """(B, H, L, M), float32."""
    logits = query.transpose(1, 2) @ key.permute(0, 2, 3, 1)
    return logits.float() / math.sqrt(query.shape[-1])
