"""Scenes under the sky: beach, lake, meadow, snowy field and street."""

from PIL import Image, ImageDraw

from toyland.backdrop import Backdrop
from toyland.paint import (
    SIZE,
    Canvas,
    Rng,
    add_grain,
    blank_canvas,
    draw_clouds,
    fill_gradient,
    fill_sky,
    pick,
    to_picture,
    vary,
)
from toyland.zones import Band, Zone

FACADES = ((170, 120, 100), (140, 150, 170), (190, 176, 150), (120, 130, 140))


def wide(top: int, bottom: int) -> Band:
    """A band across the picture, two pixels short of its edges."""
    return Band(top, bottom, 2, SIZE - 2)


def beach(rng: Rng) -> Backdrop:
    """Sky, sea and sand."""
    canvas, horizon, shore = _sky_and_water(rng)
    fill_gradient(canvas, shore, SIZE, vary((240, 214, 160), rng), vary((222, 186, 124), rng))
    add_grain(canvas, shore, SIZE, rng, 6)
    picture = to_picture(canvas)
    draw_clouds(picture, horizon, rng)
    return Backdrop("beach", picture, _shore_zones(horizon, shore))


def lake(rng: Rng) -> Backdrop:
    """Sky, mountains, water and a green bank."""
    canvas, horizon, shore = _sky_and_water(rng)
    fill_gradient(canvas, shore, SIZE, vary((110, 180, 80), rng), vary((70, 140, 50), rng))
    add_grain(canvas, shore, SIZE, rng, 8)
    picture = to_picture(canvas)
    draw_clouds(picture, horizon, rng)
    _draw_mountains(picture, horizon, rng)
    return Backdrop("lake", picture, _shore_zones(horizon, shore))


def meadow(rng: Rng) -> Backdrop:
    """Sky over grass, often with a hill on the horizon."""
    horizon = int(rng.integers(52, 70))
    canvas = blank_canvas()
    fill_sky(canvas, horizon, rng)
    _fill_grass(canvas, horizon, rng)
    picture = to_picture(canvas)
    draw_clouds(picture, horizon, rng)
    if rng.random() < 0.6:
        picture = _draw_hill(picture, horizon, rng)
    return Backdrop("meadow", picture, _field_zones(horizon))


def snowy_field(rng: Rng) -> Backdrop:
    """Sky over snow, with a few firs on the horizon."""
    horizon = int(rng.integers(52, 70))
    canvas = blank_canvas()
    fill_sky(canvas, horizon, rng)
    fill_gradient(canvas, horizon, SIZE, vary((225, 232, 242), rng, 6), vary((246, 248, 252), rng, 4))
    add_grain(canvas, horizon, SIZE, rng, 3)
    picture = to_picture(canvas)
    draw_clouds(picture, horizon, rng)
    _draw_firs(picture, horizon, rng)
    return Backdrop("snowy field", picture, _field_zones(horizon))


def street(rng: Rng) -> Backdrop:
    """Houses with lit windows behind a road."""
    kerb = int(rng.integers(78, 90))
    canvas = blank_canvas()
    fill_sky(canvas, kerb, rng)
    fill_gradient(canvas, kerb, SIZE, vary((110, 110, 116), rng), vary((70, 70, 76), rng))
    add_grain(canvas, kerb, SIZE, rng, 4)
    picture = to_picture(canvas)
    left = 0
    while left < SIZE:
        left = _draw_house_front(picture, left, kerb, rng)
    _draw_road_marks(picture, kerb, rng)
    return Backdrop("street", picture, {Zone.SKY: wide(8, 32), Zone.ROAD: wide(kerb + 14, SIZE - 5)})


def _sky_and_water(rng: Rng) -> tuple[Canvas, int, int]:
    """A canvas with sky and water, the horizon's row and the shore's row."""
    horizon, shore = int(rng.integers(44, 58)), int(rng.integers(82, 94))
    canvas = blank_canvas()
    fill_sky(canvas, horizon, rng)
    fill_gradient(canvas, horizon, shore, vary((30, 110, 180), rng), vary((70, 170, 205), rng))
    add_grain(canvas, horizon, shore, rng, 5, cell=2)
    return canvas, horizon, shore


def _shore_zones(horizon: int, shore: int) -> dict[Zone, Band]:
    return {
        Zone.SKY: wide(10, horizon - 8),
        Zone.WATER: wide(horizon + 8, shore - 1),
        Zone.GROUND: wide(shore + 8, SIZE - 6),
    }


def _field_zones(horizon: int) -> dict[Zone, Band]:
    return {Zone.SKY: wide(10, horizon - 8), Zone.GROUND: wide(horizon + 14, SIZE - 6)}


def _fill_grass(canvas: Canvas, top: int, rng: Rng) -> None:
    fill_gradient(canvas, top, SIZE, vary((127, 193, 82), rng), vary((65, 141, 47), rng))
    add_grain(canvas, top, SIZE, rng, 9)


def _draw_hill(picture: Image.Image, horizon: int, rng: Rng) -> Image.Image:
    """A low green ellipse behind the grass, which is painted over its foot."""
    left, width = int(rng.integers(-30, SIZE)), int(rng.integers(50, 110))
    hill = (left, horizon - 12, left + width, horizon + 20)
    foreground = picture.crop((0, horizon + 2, SIZE, SIZE))
    ImageDraw.Draw(picture, "RGBA").ellipse(hill, fill=vary((112, 176, 78), rng, 8))
    picture.paste(foreground, (0, horizon + 2))
    return picture


def _draw_mountains(picture: Image.Image, horizon: int, rng: Rng) -> None:
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(3):
        left, width, height = (int(rng.integers(*span)) for span in ((-10, SIZE), (30, 60), (16, 30)))
        peak = (left + width // 2, horizon - height)
        draw.polygon([(left, horizon), peak, (left + width, horizon)], fill=vary((110, 120, 140), rng))


def _draw_firs(picture: Image.Image, horizon: int, rng: Rng) -> None:
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(rng.integers(2, 5)):
        x, height = int(rng.integers(0, SIZE)), int(rng.integers(14, 26))
        green = vary((44, 92, 72), rng, 8)
        for tier in range(3):
            foot, top = horizon - tier * height // 4, horizon - height * 3 // 4 - tier * height // 6
            half = height // 3 - tier
            draw.polygon([(x - half, foot), (x, top), (x + half, foot)], fill=green)


def _draw_house_front(picture: Image.Image, left: int, kerb: int, rng: Rng) -> int:
    """One house from column `left`; returns the column where the next begins."""
    draw = ImageDraw.Draw(picture, "RGBA")
    width, height = int(rng.integers(16, 30)), int(rng.integers(24, kerb - 30))
    draw.rectangle((left, kerb - height, left + width - 2, kerb), fill=pick(FACADES, rng))
    for y in range(kerb - height + 4, kerb - 5, 8):
        for x in range(left + 3, left + width - 5, 7):
            light = (250, 240, 180, 200) if rng.random() < 0.5 else (60, 70, 90, 200)
            draw.rectangle((x, y, x + 3, y + 4), fill=light)
    return left + width


def _draw_road_marks(picture: Image.Image, kerb: int, rng: Rng) -> None:
    draw = ImageDraw.Draw(picture, "RGBA")
    draw.rectangle((0, kerb, SIZE, kerb + 4), fill=(176, 176, 176, 255))
    y = (kerb + SIZE) // 2 + 2
    for x in range(int(rng.integers(-10, 4)), SIZE, 22):
        draw.rectangle((x, y, x + 11, y + 2), fill=(240, 230, 160, 255))
