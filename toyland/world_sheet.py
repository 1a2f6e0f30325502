"""A sheet of the world as drawn: what the model learns from."""

from PIL import Image

from toyland.sheet import tile
from toyland.world import HELD_OUT_SEED, SCENES, World

ROWS, SIDE = 2, 152  # pictures of each scene, and their side in the sheet


def world_sheet(world: World, first: int = 0) -> Image.Image:
    """A column for each scene, ROWS pictures of it with two and three things."""
    pictures = [
        world.draw(HELD_OUT_SEED, first + 9 * column + row, scene, count=2 + row)
        for row in range(ROWS)
        for column, scene in enumerate(SCENES)
    ]
    small = [sample.picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS) for sample in pictures]
    return tile(small, columns=len(SCENES))
