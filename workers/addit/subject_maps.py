"""Where the subjects are, read from the target's attention (method of section 3.4 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from workers.addit.attention import attention_columns, attention_rows
from workers.addit.latents import LatentGrid


class SubjectRecorder:
    """Collects the subjects' attention over some layers and steps of the target; sees only a few rows and
    columns.

    layers: recorded attention layers
    tokens: for each of n subjects, the positions of its tokens in the text
    text_len: number of text tokens
    """

    def __init__(self, layers: Sequence[str], tokens: Sequence[Sequence[int]], text_len: int) -> None:
        self.layers, self.text_len = frozenset(layers), text_len
        self.tokens = torch.tensor([token for subject in tokens for token in subject])
        self._sizes = [len(subject) for subject in tokens]
        self._rows: dict[int, list[Tensor]] = {}
        self._columns: dict[int, list[Tensor]] = {}

    def record(self, step: int, layer: str, query: Tensor, key: Tensor) -> None:
        """query (B, L, H, D): text then image. key (B, S + L, H, D): lent source tokens, if any, before the
        own ones."""
        if layer not in self.layers:
            return
        lent = key.shape[1] - query.shape[1]
        tokens = self.tokens.to(query.device)
        rows = attention_rows(query[:, tokens], key)[..., lent + self.text_len :]  # (B, tokens, I)
        columns = attention_columns(query[:, self.text_len :], key, lent + tokens)  # (B, I, tokens)
        self._rows.setdefault(step, []).append(self._by_subject(rows, dim=1))
        self._columns.setdefault(step, []).append(self._by_subject(columns, dim=-1))

    def _by_subject(self, attention: Tensor, dim: int) -> Tensor:
        """(B, n, I): means over each subject's tokens, which lie along `dim`."""
        parts = torch.split(attention, self._sizes, dim)
        return torch.stack([part.mean(dim=dim) for part in parts], dim=1)

    def keep(self, rows: Sequence[int]) -> None:
        """Forget the other rows of the batch: it goes on without them."""
        for recorded in (self._rows, self._columns):
            for step, layers in recorded.items():
                recorded[step] = [seen[list(rows)] for seen in layers]

    def maps(
        self, steps: Sequence[int], grid: LatentGrid, accumulate: Literal["columns", "reference"]
    ) -> Tensor:
        """(B, n, h, w) attention of the recorded `steps`.

        "columns": mean of the image->subject probabilities. "reference": sum over the steps of the
        subject->image rows,
        plus the column of the last step alone, as the reference implementation has it.
        """
        recorded = [step for step in steps if step in self._columns]
        columns = [torch.stack(self._columns[step]).mean(dim=0) for step in recorded]
        if accumulate == "columns":
            total = torch.stack(columns).mean(dim=0)
        else:
            rows = [torch.stack(self._rows[step]).mean(dim=0) for step in recorded]
            total = torch.stack(rows).sum(dim=0) + columns[-1]
        return total.reshape(*total.shape[:2], grid.height, grid.width)


def recorded_steps(blend_step: int, first_step: int) -> range:
    """The blend step and the two before it, as far as the target was computed."""
    return range(max(first_step, blend_step - 2), blend_step + 1)
