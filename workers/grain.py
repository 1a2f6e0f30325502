"""Film grain and sensor noise: how much a picture has, and as much for what was drawn into it.

Noise is taken to be white, as strong as luminance says, and independent in grey and the two colour
differences: a camera's denoiser treats those apart. Pure functions on arrays; pictures are (H, W, 3), uint8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TILE = 32
"""Pixels of the side of a tile, each of which gives one estimate."""
FLATTEST = 25
"""Percentile of the tiles of a luminance: the flat ones, where there is hardly anything but noise."""
BANDS = (np.arange(8) + 0.5) * 32
"""Luminances, in grey levels, that the noise is known at."""
TEXTURED = 2.0
"""Times the flattest tiles' level beyond which a luminance shows texture (grass, say), not noise."""
CLIPPED = (4, 251)
"""Mean luminances of tiles that show noise whole; outside, black and white cut it off."""
VISIBLE = 0.5
"""Grey levels; less than this is the rounding to 256 levels, not grain."""
MAD_TO_DEVIATION = 1.4826
ROWS = 256
"""Rows of a picture that grain is added to at a time, to bound memory."""

PLANES = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], np.float32)
PLANES /= np.linalg.norm(PLANES, axis=1, keepdims=True)
"""(3, 3), orthonormal: grey, and two differences of colours, from red, green and blue."""


@dataclass(frozen=True)
class Grain:
    """levels: (3, 8), standard deviations in grey levels of each plane at the luminances `BANDS`."""

    levels: NDArray[np.float32]


def measure_grain(picture: NDArray[np.uint8], where: NDArray[np.bool_]) -> Grain:
    """The noise of the tiles that lie in `where` (H, W) as a whole; none where there are no such tiles.

    Of each tile the median of its absolute Laplacian (Immerkaer 1996, made robust), of each luminance the
    flattest tiles.
    """
    strips = list(_strips(picture, where))
    luminance = np.concatenate([strip[0] for strip in strips] or [np.zeros(0, np.float32)])
    levels = np.concatenate([strip[1] for strip in strips] or [np.zeros((0, 3), np.float32)])
    seen = (luminance >= CLIPPED[0]) & (luminance <= CLIPPED[1])
    if not seen.any():
        return Grain(np.zeros((3, len(BANDS)), np.float32))
    return Grain(_by_luminance(luminance[seen], levels[seen]))


def missing_grain(photo: Grain, drawn: Grain) -> Grain:
    """What `drawn` lacks to be as grainy as `photo`: variances subtract."""
    lacking = np.sqrt((photo.levels**2 - drawn.levels**2).clip(0))
    return Grain(np.where(lacking < VISIBLE, np.float32(0), lacking))


def add_grain(picture: NDArray[np.uint8], grain: Grain, seed: int) -> NDArray[np.uint8]:
    """The picture with grain; the same for the same seed, the same picture where there is none to add."""
    if not grain.levels.any():
        return picture
    rng = np.random.default_rng(seed)
    parts = [_grainy(picture[top : top + ROWS], grain, rng) for top in range(0, picture.shape[0], ROWS)]
    return np.concatenate(parts)


def _strips(
    picture: NDArray[np.uint8], where: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Luminance (n,) and levels (n, 3) of the wanted tiles, a row of tiles at a time."""
    height, width = (side - side % TILE for side in picture.shape[:2])
    for top in range(0, height, TILE):
        wanted = _tiles(where[top : top + TILE, :width, None]).all(axis=(1, 2, 3))
        if wanted.any():
            tiles = _tiles(picture[top : top + TILE, :width])[wanted].astype(np.float32)
            yield tiles.mean(axis=(1, 2, 3)), _levels(tiles @ PLANES.T)


def _tiles(strip: NDArray[np.generic]) -> NDArray[np.generic]:
    """(TILE, n * TILE, C) to (n, TILE, TILE, C)."""
    return strip.reshape(TILE, -1, TILE, strip.shape[-1]).swapaxes(0, 1)


def _levels(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Standard deviation (n, 3) of white noise in tiles (n, TILE, TILE, 3).

    The second difference across and down (1 -2 1 both ways, whose squares sum to 36) cancels whatever is
    smooth.
    """
    across = tiles[:, :, 2:] - 2 * tiles[:, :, 1:-1] + tiles[:, :, :-2]
    both = across[:, 2:] - 2 * across[:, 1:-1] + across[:, :-2]
    spread: NDArray[np.float32] = np.median(np.abs(both), axis=(1, 2))
    return spread * np.float32(MAD_TO_DEVIATION / 6)


def _by_luminance(luminance: NDArray[np.float32], levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, 8): the flattest tiles of each band, bands without tiles as their neighbours, none textured."""
    band = (luminance / (BANDS[1] - BANDS[0])).astype(int)
    known = np.unique(band)
    flat = np.stack([np.percentile(levels[band == each], FLATTEST, axis=0) for each in known])
    most = TEXTURED * np.percentile(levels, FLATTEST, axis=0)
    every = [np.interp(BANDS, BANDS[known], plane) for plane in np.minimum(flat, most).T]
    return np.stack(every).astype(np.float32)


def _grainy(picture: NDArray[np.uint8], grain: Grain, rng: np.random.Generator) -> NDArray[np.uint8]:
    noise = rng.standard_normal(picture.shape, np.float32)
    luminance = picture.mean(axis=-1, dtype=np.float32)
    for plane, levels in enumerate(grain.levels):
        noise[..., plane] *= np.interp(luminance, BANDS, levels)
    return (picture + noise @ PLANES).round().clip(0, 255).astype(np.uint8)
