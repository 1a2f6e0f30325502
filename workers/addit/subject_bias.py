"""More or less attention of the target's picture on the subject's words, cell by cell: a prior on where the
subject comes to be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workers.addit.attention import add_bias


@dataclass(frozen=True)
class SubjectBias:
    """Added to the logits of the image's queries on the subject's keys.

    cells: (I,), by image token; below 0 attends less
    tokens: positions of the subject's tokens in the text; text_len: number of text tokens
    """

    cells: Tensor
    tokens: tuple[int, ...]
    text_len: int

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `attention.add_bias`.

        query (B, L, H, D): text then image. key, value (B, S + L, H, D): lent source tokens, if any, before
        the own ones
        """
        lent = key.shape[1] - query.shape[1]
        of_query, of_key = (torch.zeros(part.shape[1], device=part.device) for part in (query, key))
        of_query[self.text_len :] = self.cells.to(query.device)
        for token in self.tokens:
            of_key[lent + token] = 1.0
        return add_bias(query, key, value, of_query, of_key)

    def silent(self) -> SubjectBias:
        """One that adds nothing, for rows that must be as wide as others."""
        return replace(self, cells=torch.zeros_like(self.cells))
