"""Pictures of anything: emoji over soft shapes, so that the autoencoder is no stranger elsewhere."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from toyland.paint import Rng

SIDE = 256  # pixels
COARSEST = 5  # cells of the coarsest background gradient


def draw_collage(sprites: Path, rng: Rng) -> Image.Image:
    """One SIDE x SIDE picture: a gradient, some antialiased shapes, some emoji with soft shadows."""
    picture = _gradient(rng)
    for _ in range(rng.integers(2, 9)):
        _draw_shape(picture, rng)
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 3))))
    names = _emoji(sprites)
    for _ in range(rng.integers(1, 8)):
        _paste(picture, _load(sprites / names[rng.integers(len(names))]), rng)
    return picture


def draw_collages(sprites: Path, seed: int, count: int) -> NDArray[np.uint8]:
    """(count, SIDE, SIDE, 3): collages 0..count of the seed."""
    pictures = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for index in range(count):
        pictures[index] = np.asarray(draw_collage(sprites, np.random.default_rng((seed, index))))
    return pictures


def _gradient(rng: Rng) -> Image.Image:
    cells = rng.integers(2, COARSEST + 1, 2)
    colours = rng.integers(0, 256, (*cells, 3)) * 0.5 + rng.integers(0, 256, 3) * 0.5
    return Image.fromarray(colours.astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _draw_shape(picture: Image.Image, rng: Rng) -> None:
    """An ellipse, rectangle or triangle of any colour, drawn at twice its size for soft edges."""
    width, height = (int(side) for side in rng.integers(8, 200, 2))
    left, top = (int(at) for at in rng.integers(-60, SIDE, 2))
    mask = Image.new("L", (2 * width, 2 * height))
    draw, whole = ImageDraw.Draw(mask), (0, 0, 2 * width - 1, 2 * height - 1)
    match int(rng.integers(3)):
        case 0:
            draw.ellipse(whole, fill=255)
        case 1:
            draw.rounded_rectangle(whole, int(rng.integers(0, 20)), fill=255)
        case _:
            draw.polygon([(0, whole[3]), (int(rng.integers(0, whole[2])), 0), whole[2:]], fill=255)
    colour = tuple(int(channel) for channel in rng.integers(0, 256, 3))
    picture.paste(colour, (left, top), mask.resize((width, height), Image.Resampling.BOX))


def _paste(picture: Image.Image, sprite: Image.Image, rng: Rng) -> None:
    longest = int(rng.integers(28, 130))
    scale = longest / max(sprite.size)
    width, height = (max(1, round(side * scale)) for side in sprite.size)
    small = sprite.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    left, top = (int(at) for at in rng.integers(-20, SIDE - 20, 2))
    picture.paste(small, (left, top), small)


@lru_cache(maxsize=1)
def _emoji(sprites: Path) -> list[str]:
    return sorted(file.name for file in sprites.glob("*.webp"))


@lru_cache(maxsize=4096)
def _load(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        return picture.convert("RGBA").resize((160, 160), Image.Resampling.BOX)
