"""How the subject's words share their attention between the source, the text and the target's own picture
(arXiv 2411.07232, figure 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workers.addit.attention import attention_rows

CHUNK = 64
"""Rows seen at a time."""


@dataclass(frozen=True)
class Spread:
    """Shares of attention, together 1: on the source's image tokens, the text's, the target's own."""

    source: float
    text: float
    target: float


class AttentionSpread:
    """Looks on at the steps of a target; sees a chunk of some rows at a time, never the whole matrix.

    layers: attention layers looked at; those that are lent the source, for shares that compare
    tokens: positions in the text of the words that look: the subject's, or all
    text_len: number of text tokens
    """

    def __init__(self, layers: Sequence[str], tokens: Sequence[int], text_len: int) -> None:
        self.layers, self.text_len = frozenset(layers), text_len
        self.tokens = torch.tensor(tokens)
        self._shares: dict[int, list[Tensor]] = {}

    def record(self, step: int, layer: str, query: Tensor, key: Tensor) -> None:
        """See `Recorder.record`; the keys are weighed already."""
        if layer not in self.layers:
            return
        lent = key.shape[1] - query.shape[1]
        sizes = [lent, self.text_len, query.shape[1] - self.text_len]
        chunks = torch.split(query[:, self.tokens.to(query.device)], CHUNK, dim=1)
        sums = torch.stack([_shares(chunk, key, sizes) for chunk in chunks]).sum(dim=0)
        self._shares.setdefault(step, []).append((sums / len(self.tokens)).cpu())

    def rows(self, step: int) -> Tensor:
        """(B, 3): shares of a step for each row of the batch, mean over layers, words and heads."""
        return torch.stack(self._shares[step]).mean(dim=0)

    def by_step(self) -> dict[int, Spread]:
        """The mean over rows as well, at each step looked at."""
        return {step: Spread(*self.rows(step).mean(dim=0).tolist()) for step in sorted(self._shares)}


def _shares(query: Tensor, key: Tensor, sizes: list[int]) -> Tensor:
    """(B, 3): the attention of some rows (B, n, H, D) on each part of the keys, summed over the rows."""
    whole = attention_rows(query, key).sum(dim=1)
    return torch.stack([part.sum(dim=1) for part in torch.split(whole, sizes, dim=1)], dim=1)
