"""Between the caller's picture and the size the model works on: fitting, bringing back, and what changed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from workers.addit.errors import UnsupportedSize

IDENTICAL = 99.0
"""dB; the PSNR given for pictures that do not differ at all."""
ROWS = 256
"""Rows of pictures compared at a time: a large photograph is never held in a wider type as a whole."""


def working_size(
    width: int, height: int, multiple: int, min_pixels: int, max_pixels: int, max_aspect: float
) -> tuple[int, int]:
    """(width, height) the model works at: the picture's aspect, an area it serves, sides rounded to
    `multiple`.

    Raises `UnsupportedSize` for a picture longer than `max_aspect` times its other side.
    """
    if max(width, height) > max_aspect * min(width, height):
        raise UnsupportedSize(f"{width}x{height} is more than {max_aspect:g} times as long as wide")
    scale = math.sqrt(min(max(width * height, min_pixels), max_pixels) / (width * height))
    fitted = (max(1, round(side * scale / multiple)) * multiple for side in (width, height))
    return next(fitted), next(fitted)


def soft_mask(cells: NDArray[np.float32], size: tuple[int, int], feather: float) -> Image.Image:
    """Mode L picture of `size` (width, height), 255 wherever the latents are the target's alone, fading out
    over `feather` pixels and with the weights of cells between.

    cells: (h, w) of the latent grid, 1 where the subject was kept, 0 where the source was, between them at a
    soft edge. Pixels beyond the fade are exactly 0.
    """
    hard = _picture_of(cells >= 1).resize(size, Image.Resampling.NEAREST)
    grown = Image.fromarray(grow(np.asarray(hard), math.ceil(feather)))
    soft = ImageChops.lighter(grown.filter(ImageFilter.GaussianBlur(feather / 2)), hard)
    if bool(((cells > 0) & (cells < 1)).any()):
        soft = ImageChops.lighter(soft, _picture_of(cells).resize(size, Image.Resampling.BILINEAR))
    return soft


def _picture_of(weights: NDArray[np.float32] | NDArray[np.bool_]) -> Image.Image:
    return Image.fromarray((weights * 255).astype(np.uint8))


def grow(mask: NDArray[np.uint8], reach: int) -> NDArray[np.uint8]:
    """The largest value within `reach` pixels up, down and across of each of (H, W).

    By doubled strides: Pillow's `MaxFilter` takes 100 s for 24 megapixels and a reach of 14, this under one.
    """
    return _grow_down(_grow_down(mask, reach).T, reach).T


def _grow_down(mask: NDArray[np.uint8], reach: int) -> NDArray[np.uint8]:
    grown, covered, length = np.pad(mask, ((reach, reach), (0, 0))), 1, 2 * reach + 1
    while covered < length:
        stride = min(covered, length - covered)
        grown = np.maximum(grown[:-stride], grown[stride:])
        covered += stride
    return grown


def hard_mask(mask: NDArray[np.bool_], size: tuple[int, int]) -> Image.Image:
    """Mode L picture of `size` (width, height), 255 where the mask (h, w) is, its edges smooth."""
    levels = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    return levels.point([0] * 128 + [255] * 128)


def composite(source: Image.Image, result: Image.Image, mask: Image.Image) -> Image.Image:
    """The result where `mask` (L) is 255, the source bit for bit where it is 0."""
    return Image.composite(result, source, mask)


def cut_out(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """The picture on transparency, opaque where `mask` (L) is 255."""
    cut = picture.convert("RGBA")
    cut.putalpha(mask)
    return cut


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8], where: NDArray[np.bool_] | None = None) -> float:
    """Peak signal-to-noise ratio in dB of two (H, W, 3) pictures, over the pixels `where` (H, W); at most
    `IDENTICAL`."""
    total, count = 0, 0
    for top in range(0, len(one), ROWS):
        rows = slice(top, top + ROWS)
        difference = one[rows].astype(np.int32) - other[rows]
        chosen = difference if where is None else difference[where[rows]]
        total, count = total + int(np.square(chosen).sum(dtype=np.int64)), count + chosen.size
    return IDENTICAL if total == 0 else min(IDENTICAL, 10 * math.log10(255**2 * count / total))


def box_of(mask: Image.Image) -> list[int] | None:
    """[left, top, right, bottom] of what is not black, in pixels; None where all is."""
    box = mask.getbbox()
    return list(box) if box else None


def grey(values: NDArray[np.float32] | NDArray[np.bool_]) -> Image.Image:
    """Mode L picture of values in 0..1."""
    return Image.fromarray((np.asarray(values, dtype=np.float32) * 255).round().astype(np.uint8))
