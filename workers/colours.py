"""Colours of a drawn part matched to the photograph it goes into. Pure functions: know no model and no place.

What the model gives back where nothing was changed differs from the photograph by what autoencoder and
resampling do to colours; that difference, as a line per channel, is taken off the part that was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RIDGE = 16.0
"""Squared grey levels of contrast that the unchanged pixels need before they may say anything of the gain."""
MOST_GAIN = 1.25
"""A line steeper than this, or flatter than its inverse, is no matter of colours any more."""


@dataclass(frozen=True)
class Line:
    """Each channel times `gain` plus `offset`, both (3,), in grey levels."""

    gain: NDArray[np.float64]
    offset: NDArray[np.float64]


def fit_line(drawn: NDArray[np.uint8], photo: NDArray[np.uint8], where: NDArray[np.bool_]) -> Line:
    """The line that takes `drawn` nearest to `photo`, both (H, W, 3), over the pixels `where` (H, W).

    Least squares, its gain drawn to 1 where the pixels hardly differ among themselves; no change where there
    are none.
    """
    if not where.any():
        return Line(np.ones(3), np.zeros(3))
    given, wanted = drawn[where].astype(np.float64), photo[where].astype(np.float64)
    middle, wanted_middle = given.mean(axis=0), wanted.mean(axis=0)
    variance = given.var(axis=0)
    covariance = ((given - middle) * (wanted - wanted_middle)).mean(axis=0)
    gain = ((covariance + RIDGE) / (variance + RIDGE)).clip(1 / MOST_GAIN, MOST_GAIN)
    return Line(gain, wanted_middle - gain * middle)


def apply_line(picture: Image.Image, line: Line) -> Image.Image:
    """The RGB picture with the line applied, by a table: nothing larger than the picture is made."""
    levels = np.arange(256)[None] * line.gain[:, None] + line.offset[:, None]
    return picture.point(levels.round().clip(0, 255).astype(int).ravel().tolist())
