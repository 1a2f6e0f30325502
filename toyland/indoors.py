"""Scenes within walls: a table in a room, and a bedroom."""

from PIL import Image, ImageDraw

from toyland.backdrop import Backdrop
from toyland.paint import SIZE, Colour, Rng, blank_canvas, darken, fill_gradient, pick, to_picture, vary
from toyland.zones import Band, Zone

ROOM_WALLS = ((214, 196, 170), (176, 200, 206), (206, 180, 188), (190, 204, 170))
BEDROOM_WALLS = ((200, 190, 214), (180, 206, 200), (222, 206, 180))
BLANKETS = ((96, 130, 190), (190, 100, 110), (110, 160, 120))


def room(rng: Rng) -> Backdrop:
    """A table before a wall, most often with a window."""
    table_top = int(rng.integers(66, 78))
    picture = _paint_walls(pick(ROOM_WALLS, rng), vary((150, 104, 64), rng), table_top + 26)
    if rng.random() < 0.7:
        _draw_window(picture, int(rng.integers(8, 84)))
    _draw_table(picture, table_top, vary((178, 124, 72), rng))
    return Backdrop("room", picture, {Zone.TABLE: Band(table_top + 2, table_top + 8, 10, SIZE - 10)})


def bedroom(rng: Rng) -> Backdrop:
    """A bed seen from the side, and the floor before it."""
    picture = _paint_walls(pick(BEDROOM_WALLS, rng), vary((164, 120, 80), rng), 92)
    _draw_bed(picture, blanket=pick(BLANKETS, rng), wood=vary((130, 90, 56), rng))
    return Backdrop(
        "bedroom", picture, {Zone.BED: Band(70, 80, 48, SIZE - 14), Zone.FLOOR: Band(114, 124, 2, SIZE - 2)}
    )


def _paint_walls(wall: Colour, floor: Colour, floor_row: int) -> Image.Image:
    canvas = blank_canvas()
    fill_gradient(canvas, 0, floor_row, wall, darken(wall, 0.92))
    fill_gradient(canvas, floor_row, SIZE, floor, darken(floor, 0.81))
    return to_picture(canvas)


def _draw_window(picture: Image.Image, left: int) -> None:
    draw = ImageDraw.Draw(picture, "RGBA")
    frame = (240, 240, 236, 255)
    draw.rectangle((left, 10, left + 34, 42), fill=(150, 206, 240, 255), outline=frame, width=3)
    draw.line((left + 17, 10, left + 17, 42), fill=frame, width=2)


def _draw_table(picture: Image.Image, top: int, wood: Colour) -> None:
    draw = ImageDraw.Draw(picture, "RGBA")
    draw.rectangle((6, top, SIZE - 6, top + 9), fill=wood)
    draw.rectangle((6, top + 9, SIZE - 6, top + 12), fill=darken(wood, 0.7))
    for left in (14, SIZE - 20):
        draw.rectangle((left, top + 12, left + 6, SIZE - 6), fill=darken(wood, 0.8))


def _draw_bed(picture: Image.Image, blanket: Colour, wood: Colour) -> None:
    draw = ImageDraw.Draw(picture, "RGBA")
    draw.rounded_rectangle((14, 48, 26, 104), 4, fill=wood)
    draw.rounded_rectangle((16, 70, SIZE - 10, 102), 6, fill=blanket)
    draw.rounded_rectangle((20, 62, 46, 78), 6, fill=(246, 244, 240, 255))
    draw.rectangle((SIZE - 16, 88, SIZE - 10, 110), fill=(110, 76, 48, 255))
    draw.rectangle((16, 96, SIZE - 10, 102), fill=darken(blanket, 0.8))
