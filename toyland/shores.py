"""Scenes by the water: beach and lake."""

from toyland.backdrop import Backdrop
from toyland.light import Condition, Light, draw_light, moonlit
from toyland.paint import SIZE, Canvas, Rng, darken, lighten, mottle, to_bottom, vary, wavy
from toyland.sky import draw_far_hills, draw_sky
from toyland.zones import Band, Zone

BEACH_LIGHTS = {Condition.DAY: 0.56, Condition.CLOUDY: 0.14, Condition.SUNSET: 0.17, Condition.NIGHT: 0.13}
LAKE_LIGHTS = {
    Condition.DAY: 0.50,
    Condition.CLOUDY: 0.12,
    Condition.SUNSET: 0.15,
    Condition.NIGHT: 0.13,
    Condition.RAIN: 0.10,
}


def beach(rng: Rng) -> Backdrop:
    """Sky, sea, and sand with a line of foam."""
    light = draw_light(BEACH_LIGHTS, rng)
    horizon, shore = int(rng.integers(88, 106)), int(rng.integers(150, 166))
    canvas = Canvas()
    draw_sky(canvas, horizon, light, rng)
    _draw_water(canvas, horizon, light, rng, deep=(36, 120, 190), shallow=(96, 192, 210))
    outline = wavy(shore - 4, 5, 2, rng)
    sand = moonlit(vary((242, 214, 160), rng), light)
    canvas.shape(to_bottom([(x, y - 5) for x, y in outline]), (214, 236, 240), (214, 236, 240))
    canvas.shape(to_bottom(outline), darken(sand, 0.86), darken(sand, 0.86))
    canvas.shape(to_bottom([(x, y + 8) for x, y in outline]), sand, darken(sand, 0.90))
    picture = mottle(canvas.picture(), shore + 8, 7, (6, 5), rng)
    return Backdrop("beach", picture, _zones(horizon, shore), light)


def lake(rng: Rng) -> Backdrop:
    """Sky, mountains, water and a green bank."""
    light = draw_light(LAKE_LIGHTS, rng)
    horizon, shore = int(rng.integers(88, 106)), int(rng.integers(150, 166))
    canvas = Canvas()
    draw_sky(canvas, horizon, light, rng)
    _draw_mountains(canvas, horizon, rng)
    draw_far_hills(canvas, horizon, (96, 150, 96), light, rng)
    _draw_water(canvas, horizon, light, rng, deep=(58, 126, 168), shallow=(94, 166, 186))
    outline = wavy(shore - 3, 6, 2, rng)
    grass = vary((124, 184, 84), rng)
    canvas.shape(to_bottom([(x, y - 4) for x, y in outline]), (126, 124, 84), (126, 124, 84))
    canvas.shape(to_bottom(outline), grass, darken(grass, 0.72))
    picture = mottle(canvas.picture(), shore + 6, 8, (7, 5), rng)
    return Backdrop("lake", picture, _zones(horizon, shore), light)


def _draw_water(
    canvas: Canvas,
    horizon: int,
    light: Light,
    rng: Rng,
    deep: tuple[int, int, int],
    shallow: tuple[int, int, int],
) -> None:
    """Water from the horizon down, with flat gleams that grow towards the viewer."""
    deep, shallow = vary(deep, rng), vary(shallow, rng)
    canvas.rows(horizon, 190, deep, shallow)
    gleam = lighten(shallow, 0.35)
    for _ in range(14):
        nearness = float(rng.random())
        x, y = float(rng.uniform(-20, SIZE)), horizon + 5 + nearness * 62
        width, height = 14 + nearness * 40, 2 + nearness * 2.5
        canvas.ellipse((x, y, x + width, y + height), gleam, 0.30)


def _draw_mountains(canvas: Canvas, horizon: int, rng: Rng) -> None:
    for place in rng.permutation(4)[:3]:
        middle, half = 30 + 64 * int(place) + float(rng.uniform(-18, 18)), float(rng.uniform(44, 70))
        height = float(rng.uniform(34, 62))
        peak = horizon - height
        rock = vary((128, 140, 164), rng)
        canvas.shape(
            [(middle - half, horizon + 8), (middle, peak), (middle + half, horizon + 8)],
            rock,
            lighten(rock, 0.4),
        )
        snow = 0.3
        foot = peak + snow * height
        cap = [(middle - snow * half, foot), (middle, peak), (middle + snow * half, foot), (middle, foot - 5)]
        canvas.shape(cap, (246, 248, 252), (232, 238, 246))


def _zones(horizon: int, shore: int) -> dict[Zone, Band]:
    return {
        Zone.SKY: Band(4, horizon - 2, 3, SIZE - 3),
        Zone.WATER: Band(horizon + 12, shore - 10, 3, SIZE - 3, far=0.5, near=0.95),
        Zone.GROUND: Band(shore + 12, SIZE - 6, 3, SIZE - 3, far=0.68),
    }
