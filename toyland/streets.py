"""A street: house fronts, a pavement, the road, and the near pavement."""

from toyland.backdrop import Backdrop
from toyland.light import Condition, Light, draw_light
from toyland.paint import SIZE, Canvas, Rng, darken, lighten, mottle, pick, vary
from toyland.sky import draw_sky
from toyland.zones import Band, Zone

STREET_LIGHTS = {
    Condition.DAY: 0.48,
    Condition.CLOUDY: 0.14,
    Condition.SUNSET: 0.12,
    Condition.NIGHT: 0.16,
    Condition.RAIN: 0.10,
}
FACADES = ((206, 142, 118), (150, 164, 190), (222, 198, 156), (160, 180, 150), (212, 176, 176))
GLASS, LAMPLIGHT = (120, 150, 180), (255, 222, 140)


def street(rng: Rng) -> Backdrop:
    """Houses behind a road."""
    light = draw_light(STREET_LIGHTS, rng)
    kerb, near_kerb = int(rng.integers(138, 148)), int(rng.integers(222, 230))
    canvas = Canvas()
    draw_sky(canvas, kerb, light, rng)
    left = float(rng.uniform(-30, 0))
    while left < SIZE:
        left = _draw_front(canvas, left, kerb, light, rng)
    pavement = vary((196, 190, 182), rng, 6)
    canvas.rows(kerb, kerb + 10, pavement, darken(pavement, 0.94))
    asphalt = vary((118, 120, 130), rng, 8)
    canvas.rows(kerb + 10, near_kerb, darken(asphalt, 0.92), asphalt)
    canvas.rows(kerb + 10, kerb + 13, darken(pavement, 0.76), darken(pavement, 0.7))
    _draw_dashes(canvas, (kerb + near_kerb) / 2 + 4, rng)
    canvas.rows(near_kerb, near_kerb + 4, lighten(pavement, 0.3), pavement)
    canvas.rows(near_kerb + 4, SIZE, pavement, darken(pavement, 0.88))
    picture = mottle(canvas.picture(), kerb + 12, 4, (6, 5), rng)
    zones = {
        Zone.SKY: Band(4, 84, 3, SIZE - 3),
        Zone.ROAD: Band(kerb + 24, near_kerb - 6, 3, SIZE - 3, far=0.66),
        Zone.GROUND: Band(near_kerb + 10, SIZE - 6, 3, SIZE - 3, far=0.94),
    }
    return Backdrop("street", picture, zones, light)


def _draw_front(canvas: Canvas, left: float, kerb: int, light: Light, rng: Rng) -> float:
    """One house from column `left`; returns the column where the next begins."""
    width, height = int(rng.integers(46, 74)), int(rng.integers(62, 108))
    wall, top = pick(FACADES, rng), kerb - height
    canvas.shape(
        [(left, top), (left + width, top), (left + width, kerb), (left, kerb)],
        lighten(wall, 0.12),
        darken(wall, 0.9),
    )
    canvas.block((left - 1, top - 4, left + width + 1, top + 3), darken(wall, 0.72), 2)
    columns = width // 22
    step = width / columns
    rows = int((height - 40) // 26)
    for row in range(rows + 1):
        for column in range(columns):
            x, y = left + step * (column + 0.5), top + 12 + 26 * row
            _draw_window(canvas, (x - 6, y, x + 6, y + 15), wall, light, rng)
    door = left + step * (int(rng.integers(columns)) + 0.5)
    canvas.block((door - 7, kerb - 22, door + 7, kerb), darken(wall, 0.55), 2)
    return left + width


def _draw_window(
    canvas: Canvas, box: tuple[float, float, float, float], wall: tuple[int, int, int], light: Light, rng: Rng
) -> None:
    dark = light.condition in (Condition.NIGHT, Condition.SUNSET, Condition.RAIN)
    lit = dark and rng.random() < 0.55
    canvas.block((box[0] - 2, box[1] - 2, box[2] + 2, box[3] + 2), lighten(wall, 0.45), 1.5)
    tint = canvas.tint
    if lit:  # light from within is not dimmed
        canvas.tint = (1.0, 1.0, 1.0)
    canvas.block(box, vary(LAMPLIGHT if lit else GLASS, rng, 8), 1)
    canvas.tint = tint


def _draw_dashes(canvas: Canvas, row: float, rng: Rng) -> None:
    for x in range(int(rng.integers(-40, 0)), SIZE, 52):
        canvas.block((x, row, x + 28, row + 4), (238, 232, 206), 1.5)
