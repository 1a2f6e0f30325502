"""Brushes: gradients, grain and clouds on a square canvas (H, W, 3) of floats 0..255."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIZE = 128  # side of every picture, pixels

Canvas = NDArray[np.float32]
Colour = tuple[int, int, int]
Rng = np.random.Generator


def blank_canvas() -> Canvas:
    """A black (H, W, 3) canvas."""
    return np.zeros((SIZE, SIZE, 3), np.float32)


def vary(colour: Sequence[float], rng: Rng, amount: int = 14) -> Colour:
    """The colour with each channel moved by at most `amount`."""
    red, green, blue = (int(np.clip(c + rng.integers(-amount, amount + 1), 0, 255)) for c in colour)
    return red, green, blue


def pick(colours: Sequence[Colour], rng: Rng) -> Colour:
    """One of several colours, varied."""
    return vary(colours[int(rng.integers(len(colours)))], rng)


def darken(colour: Sequence[float], factor: float) -> Colour:
    """The colour times `factor`."""
    red, green, blue = (int(channel * factor) for channel in colour)
    return red, green, blue


def fill_gradient(canvas: Canvas, top: int, bottom: int, upper: Colour, lower: Colour) -> None:
    """Fill rows top..bottom, from one colour to another."""
    mix = np.linspace(0, 1, max(0, bottom - top), dtype=np.float32)[:, None, None]
    canvas[top:bottom] = np.array(upper) * (1 - mix) + np.array(lower) * mix


def add_grain(canvas: Canvas, top: int, bottom: int, rng: Rng, amplitude: float, cell: int = 1) -> None:
    """Add grey noise of `cell`-pixel grain to rows top..bottom."""
    noise = rng.normal(0, amplitude, (SIZE // cell, SIZE // cell)).astype(np.float32)
    grain = np.asarray(Image.fromarray(noise).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
    canvas[top:bottom] += grain[top:bottom, :, None]


def fill_sky(canvas: Canvas, horizon: int, rng: Rng) -> None:
    """Blue sky down to the horizon row."""
    fill_gradient(canvas, 0, horizon, vary((88, 160, 232), rng), vary((190, 222, 246), rng))


def to_picture(canvas: Canvas) -> Image.Image:
    """The canvas as an RGB picture."""
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


def draw_clouds(picture: Image.Image, horizon: int, rng: Rng) -> None:
    """Up to three translucent clouds, each of four puffs."""
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(rng.integers(0, 4)):
        x, y = int(rng.integers(0, SIZE)), int(rng.integers(4, max(6, int(horizon * 0.7))))
        for puff in range(4):
            radius = int(rng.integers(4, 9))
            left = x + puff * 6
            box = (left - radius, y - radius // 2, left + radius, y + radius // 2 + 2)
            draw.ellipse(box, fill=(255, 255, 255, 150))
