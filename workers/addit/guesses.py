"""A target's clean guesses as pictures, on the way."""

from __future__ import annotations

from torch import Tensor

from workers.addit.codec import decode_picture
from workers.addit.latents import LatentGrid
from workers.addit.localizers import Picture
from workers.addit.models import Models


class Guesses:
    """Decodes a row where somebody looks at it, and once however many do. Knows the last tensor alone."""

    def __init__(self, models: Models, grid: LatentGrid) -> None:
        self.models, self.grid = models, grid
        self._x0: Tensor | None = None
        self._shown: dict[int, Picture] = {}

    def __call__(self, x0: Tensor, row: int) -> Picture:
        """(H, W, 3) of a row of x0 (B, L, C)."""
        if x0 is not self._x0:
            self._x0, self._shown = x0, {}
        if row not in self._shown:
            self._shown[row] = decode_picture(self.models, x0[row : row + 1], self.grid)
        return self._shown[row]
