"""What is above the horizon: sky, clouds, moon, far hills; and what falls from it."""

from PIL import Image

from toyland.light import Condition, Light
from toyland.paint import SIZE, Canvas, Colour, Rng, blend, paste_spot, to_bottom, wavy

_DULL = (Condition.CLOUDY, Condition.RAIN, Condition.SNOW)


def draw_sky(canvas: Canvas, horizon: int, light: Light, rng: Rng) -> None:
    """Sky down to the horizon, with clouds or stars; afterwards the canvas has the light's tint."""
    canvas.rows(0, horizon + 12, *light.sky)
    if light.condition is Condition.NIGHT:
        _draw_night(canvas, horizon, rng)
    else:
        _draw_clouds(canvas, horizon, light, rng)
    canvas.tint = light.tint


def draw_far_hills(canvas: Canvas, horizon: int, colour: Colour, light: Light, rng: Rng) -> None:
    """Two pale rows of hills, the farther one nearer to the colour of the sky."""
    haze = (206, 226, 240)
    for height, share in ((float(rng.uniform(10, 22)), 0.55), (float(rng.uniform(3, 9)), 0.25)):
        outline = wavy(horizon - height, height * 0.7, 3, rng)
        upper = blend(colour, haze, share)
        canvas.shape(to_bottom(outline, horizon + 14), upper, blend(upper, haze, 0.25))


def draw_fall(picture: Image.Image, light: Light, rng: Rng) -> None:
    """Rain or snow before everything, sparse and soft."""
    if light.condition not in (Condition.RAIN, Condition.SNOW):
        return
    rain = light.condition is Condition.RAIN
    for x, y, length in zip(
        rng.integers(0, SIZE, 26), rng.integers(-8, SIZE, 26), rng.integers(14, 24, 26), strict=True
    ):
        box = (x, y, x + 5, y + length) if rain else (x, y, x + length // 2, y + length // 2)
        paste_spot(picture, box, (226, 236, 246) if rain else (255, 255, 255), 0.5 if rain else 0.9)


def _draw_night(canvas: Canvas, horizon: int, rng: Rng) -> None:
    for x, y in zip(rng.integers(4, SIZE, 16), rng.integers(4, max(6, horizon - 12), 16), strict=True):
        radius = float(rng.uniform(0.9, 1.5))
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), (232, 236, 255), 0.8)
    if rng.random() < 0.7:
        x, y, radius = (int(rng.integers(*span)) for span in ((20, SIZE - 20), (16, 36), (8, 12)))
        canvas.ellipse(
            (x - 2 * radius, y - 2 * radius, x + 2 * radius, y + 2 * radius), (150, 160, 210), 0.16
        )
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), (250, 244, 214))


def _draw_clouds(canvas: Canvas, horizon: int, light: Light, rng: Rng) -> None:
    dull = light.condition in _DULL
    white = blend((255, 255, 255), light.sky[0 if dull else 1], 0.30)
    for _ in range(int(rng.integers(3, 6) if dull else rng.integers(0, 4))):
        x, y = float(rng.uniform(-10, SIZE - 20)), float(rng.uniform(14, max(18, horizon * 0.7)))
        size = float(rng.uniform(0.6, 1.2))
        heights = rng.uniform(0.7, 1.0, 4) * (7, 12, 13, 8) * size
        for puff, high in enumerate(heights.tolist()):
            middle, wide = x + puff * 13 * size, 15 * size
            canvas.ellipse((middle - wide, y - high, middle + wide, y + 6 * size), white)
