"""How the target's text spreads its attention over the source's image, its own image and itself (the paper's
figure 7). Sees one chunk of rows at a time, never the whole matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from workers.addit.attention import attention_rows

CHUNK = 64  # queries at a time


class SpreadRecorder:
    """Sums the attention of all text queries per kind of key, over the layers where the source is lent.

    text_len: number of text tokens
    """

    def __init__(self, text_len: int) -> None:
        self.text_len = text_len
        self._sums: dict[int, list[Tensor]] = {}

    def record(self, step: int, layer: str, query: Tensor, key: Tensor) -> None:
        """See `Recorder.record`."""
        lent = key.shape[1] - query.shape[1]
        if not lent:
            return
        sizes = [lent, self.text_len, query.shape[1] - self.text_len]
        parts = torch.split(query[:, : self.text_len], CHUNK, dim=1)
        shares = [self._shares(part, key, sizes) for part in parts]
        self._sums.setdefault(step, []).append(torch.stack(shares).sum(dim=0))

    def shares(self, step: int) -> Tensor:
        """(B, 3) mean shares of a step, on the CPU: the source's image, text, the target's image."""
        total = torch.stack(self._sums[step]).sum(dim=0)
        return (total / total.sum(dim=1, keepdim=True)).cpu()

    @staticmethod
    def _shares(query: Tensor, key: Tensor, sizes: list[int]) -> Tensor:
        rows = attention_rows(query, key).sum(dim=1)  # (B, M)
        return torch.stack([part.sum(dim=1) for part in torch.split(rows, sizes, dim=1)], dim=1)
