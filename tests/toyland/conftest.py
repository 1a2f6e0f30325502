"""A world with stand-in sprites, so that no test needs the emoji package."""

import pytest
from PIL import Image, ImageDraw

from toyland.objects import OBJECTS
from toyland.world import World, small_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The shipped world, each object an ellipse of its own colour."""
    folder = tmp_path_factory.mktemp("sprites")
    for number, kind in enumerate(OBJECTS):
        draw_stand_in(number).save(folder / f"{kind.codepoint}.webp", lossless=True)
    return small_world(folder)


def draw_stand_in(number: int) -> Image.Image:
    """An RGBA ellipse, wider or higher by its number."""
    sprite = Image.new("RGBA", (64, 64))
    colour = (number * 37 % 256, number * 91 % 256, number * 151 % 256, 255)
    ImageDraw.Draw(sprite).ellipse((2, 2 + number % 7, 62 - number % 5, 62), fill=colour)
    return sprite
