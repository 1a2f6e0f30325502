"""How the subject's words share their attention between the source, the text and the target's own picture
(arXiv 2411.07232, figure 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workers.addit.attention import attention_rows


@dataclass(frozen=True)
class Spread:
    """Shares of attention, together 1: on the source's image tokens, the text's, the target's own."""

    source: float
    text: float
    target: float


class AttentionSpread:
    """Looks on at every step of a target; sees the rows of the subject's words alone, never the whole matrix.

    layers: attention layers looked at; those that are lent the source, for shares that compare
    tokens: positions of the subject's tokens in the text
    text_len: number of text tokens
    """

    def __init__(self, layers: Sequence[str], tokens: Sequence[int], text_len: int) -> None:
        self.layers, self.text_len = frozenset(layers), text_len
        self.tokens = torch.tensor(tokens)
        self._shares: dict[int, list[Tensor]] = {}

    def record(self, step: int, layer: str, query: Tensor, key: Tensor) -> None:
        """query (B, L, H, D): text then image. key (B, S + L, H, D): lent source tokens, if any, before the
        own ones, weighed already."""
        if layer not in self.layers:
            return
        lent = key.shape[1] - query.shape[1]
        rows = attention_rows(query[:, self.tokens.to(query.device)], key).mean(dim=(0, 1))  # (S + L,)
        parts = torch.split(rows, [lent, self.text_len, len(rows) - lent - self.text_len])
        self._shares.setdefault(step, []).append(torch.stack([part.sum() for part in parts]).cpu())

    def by_step(self) -> dict[int, Spread]:
        """The mean over layers, subject tokens, heads and seeds at each step looked at."""
        means = {step: torch.stack(shares).mean(dim=0) for step, shares in sorted(self._shares.items())}
        return {step: Spread(*mean.tolist()) for step, mean in means.items()}
