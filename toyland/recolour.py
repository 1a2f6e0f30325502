"""Painting a sprite in another colour: its main hue is turned, its light and dark stay."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Shade = tuple[
    float, float, float
]  # hue 0..1, factor of saturation, exponent of brightness (below 1 brightens)

SHADES: dict[str, Shade] = {
    "red": (0.985, 1.0, 1.0),
    "orange": (0.075, 1.05, 0.7),
    "yellow": (0.145, 0.95, 0.45),
    "green": (0.37, 0.78, 1.3),
    "blue": (0.59, 1.0, 0.9),
    "purple": (0.76, 0.85, 0.95),
}
_NEAR = 0.13  # hues this far from the main one are turned with it


def recolour(sprite: Image.Image, colour: str) -> Image.Image:
    """The sprite (RGBA) with all that has about its main hue painted in the named colour."""
    hue, saturation, value = (
        np.asarray(band, dtype=np.float32) / 255 for band in sprite.convert("RGB").convert("HSV").split()
    )
    alpha = sprite.getchannel("A")
    main = _main_hue(hue, saturation * (np.asarray(alpha) > 127))
    away = (hue - main + 0.5) % 1 - 0.5
    turned = (np.abs(away) < _NEAR) & (saturation > 0.22)
    target, strength, exponent = SHADES[colour]
    hue = np.where(turned, (target + 0.25 * away) % 1, hue)
    saturation = np.where(turned, np.clip(saturation * strength, 0, 1), saturation)
    value = np.where(turned, value**exponent, value)
    pixels = np.stack([hue, saturation, value], -1) * 255
    painted = Image.fromarray(pixels.astype(np.uint8), "HSV").convert("RGB")
    painted.putalpha(alpha)
    return painted


def _main_hue(hue: NDArray[np.floating], weight: NDArray[np.floating]) -> float:
    """The hue (0..1) that the sprite shows most of, by saturation."""
    counts, edges = np.histogram(hue, bins=24, range=(0, 1), weights=weight)
    return float(edges[counts.argmax()] + 0.5 / 24)
