"""How far the picture as a whole moved: editors that draw everything anew often shift or zoom it a little."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.pixels import luminance
from workers.addit.localizers import Picture

FAINT = 1e-3
"""Of the strongest frequency: what is weaker has the phase of noise, and smooth pictures have much of it."""


def geometric_shift(source: Picture, edited: Picture, where: NDArray[np.bool_]) -> float:
    """Pixels by which `edited` lies beside `source`, by phase correlation (Kuglin and Hines, 1975).

    Only what lies outside the subject is looked at; pictures are tapered, so that borders do not count.
    """
    one, other = (_spectrum(picture, where) for picture in (source, edited))
    cross = one * other.conj()
    magnitude = np.abs(cross)
    strong = magnitude > FAINT * magnitude.max()
    if not strong.any():
        return 0.0
    correlation = np.fft.ifft2(np.where(strong, cross, 0) / np.where(strong, magnitude, 1)).real
    row, column = np.unravel_index(correlation.argmax(), correlation.shape)
    height, width = correlation.shape
    return float(np.hypot(min(row, height - row), min(column, width - column)))


def _spectrum(picture: Picture, where: NDArray[np.bool_]) -> NDArray[np.complex128]:
    """Of the tapered luminance, the subject filled with the mean of the rest."""
    grey = luminance(picture)
    level = grey[where].mean() if where.any() else grey.mean()
    taper = np.outer(*(np.hanning(side) for side in grey.shape))
    return np.asarray(np.fft.fft2((np.where(where, grey, level) - level) * taper))
