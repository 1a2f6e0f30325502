"""Open country: meadow, snowy field and desert."""

from toyland.backdrop import Backdrop
from toyland.light import Condition, draw_light, moonlit
from toyland.paint import SIZE, Canvas, Rng, blend, darken, lighten, mottle, to_bottom, vary, wavy
from toyland.sky import draw_far_hills, draw_sky
from toyland.zones import Band, Zone

MEADOW_LIGHTS = {
    Condition.DAY: 0.50,
    Condition.CLOUDY: 0.12,
    Condition.SUNSET: 0.15,
    Condition.NIGHT: 0.13,
    Condition.RAIN: 0.10,
}
SNOW_LIGHTS = {Condition.DAY: 0.48, Condition.SUNSET: 0.16, Condition.NIGHT: 0.16, Condition.SNOW: 0.20}
DESERT_LIGHTS = {Condition.DAY: 0.62, Condition.SUNSET: 0.21, Condition.NIGHT: 0.17}


def meadow(rng: Rng) -> Backdrop:
    """Sky over green hills and grass."""
    light = draw_light(MEADOW_LIGHTS, rng)
    horizon = int(rng.integers(98, 122))
    canvas = Canvas()
    draw_sky(canvas, horizon, light, rng)
    draw_far_hills(canvas, horizon, (104, 160, 110), light, rng)
    grass = vary((140, 200, 88), rng)
    canvas.shape(to_bottom(wavy(horizon, 3, 2, rng)), lighten(grass, 0.18), darken(grass, 0.86))
    canvas.shape(to_bottom(wavy(horizon + 30, 9, 2, rng)), darken(grass, 0.94), darken(grass, 0.78))
    canvas.shape(to_bottom(wavy(horizon + 76, 9, 2, rng)), darken(grass, 0.86), darken(grass, 0.66))
    picture = mottle(canvas.picture(), horizon + 4, 8, (7, 8), rng)
    return Backdrop("meadow", picture, _zones(horizon), light)


def snowy_field(rng: Rng) -> Backdrop:
    """Sky over snow, with a far forest."""
    light = draw_light(SNOW_LIGHTS, rng)
    horizon = int(rng.integers(98, 122))
    canvas = Canvas()
    draw_sky(canvas, horizon, light, rng)
    _draw_forest(canvas, horizon, rng)
    snow, shade = vary((244, 247, 252), rng, 5), vary((204, 218, 238), rng, 8)
    canvas.shape(to_bottom(wavy(horizon, 4, 2, rng)), blend(snow, shade, 0.5), snow)
    canvas.shape(to_bottom(wavy(horizon + 34, 8, 2, rng)), snow, blend(snow, shade, 0.6))
    canvas.shape(to_bottom(wavy(horizon + 82, 9, 2, rng)), snow, shade)
    picture = mottle(canvas.picture(), horizon + 4, 5, (5, 6), rng)
    return Backdrop("snowy field", picture, _zones(horizon), light)


def desert(rng: Rng) -> Backdrop:
    """Sky over dunes, with flat mountains far off."""
    light = draw_light(DESERT_LIGHTS, rng)
    horizon = int(rng.integers(98, 122))
    canvas = Canvas()
    draw_sky(canvas, horizon, light, rng)
    _draw_mesas(canvas, horizon, rng)
    sand = moonlit(vary((236, 178, 104), rng), light)
    for step, height in ((0, 5), (26, 12), (66, 13)):
        outline = wavy(horizon + step, height, 2, rng)
        canvas.shape(to_bottom(outline), lighten(sand, 0.22), darken(sand, 0.92))
        sand = darken(sand, 0.95)
    picture = mottle(canvas.picture(), horizon + 6, 6, (5, 5), rng)
    return Backdrop("desert", picture, _zones(horizon), light)


def _draw_forest(canvas: Canvas, horizon: int, rng: Rng) -> None:
    """Round tops in a row, pale with distance."""
    green = blend(vary((70, 112, 104), rng, 8), (206, 222, 236), 0.35)
    x = -10.0
    while x < SIZE:
        half, height = float(rng.uniform(9, 16)), float(rng.uniform(14, 26))
        canvas.ellipse((x - half, horizon - height, x + half, horizon + height), green)
        x += half * 1.1


def _draw_mesas(canvas: Canvas, horizon: int, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 4))):
        x, width, height = (float(rng.uniform(*span)) for span in ((-30, SIZE), (40, 90), (14, 32)))
        rock = vary((206, 130, 96), rng)
        top = horizon - height
        outline = [(x, horizon + 8), (x + 9, top), (x + width - 9, top), (x + width, horizon + 8)]
        canvas.shape(outline, rock, lighten(rock, 0.35))


def _zones(horizon: int) -> dict[Zone, Band]:
    return {
        Zone.SKY: Band(4, horizon - 4, 3, SIZE - 3),
        Zone.GROUND: Band(horizon + 28, SIZE - 6, 3, SIZE - 3, far=0.55),
    }
