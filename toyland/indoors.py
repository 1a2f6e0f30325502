"""Scenes within walls: a table in a room, a bedroom and a living room."""

from toyland.backdrop import Backdrop
from toyland.light import Condition, Light, draw_light
from toyland.paint import SIZE, WHITE_LIGHT, Canvas, Colour, Rng, darken, lighten, mottle, pick, vary
from toyland.zones import Band, Zone

INDOOR_LIGHTS = {Condition.DAY: 0.72, Condition.EVENING: 0.28}
ROOM_WALLS = ((236, 214, 184), (190, 214, 216), (226, 196, 200), (206, 218, 182))
BEDROOM_WALLS = ((212, 204, 228), (194, 218, 210), (236, 218, 192), (222, 204, 196))
LIVING_WALLS = ((224, 224, 210), (230, 206, 176), (188, 206, 220), (206, 216, 196))
WOODS = ((196, 140, 88), (172, 118, 74), (218, 170, 116))
CLOTHS = ((104, 140, 200), (204, 110, 116), (118, 170, 128), (150, 124, 190), (222, 170, 90))


def room(rng: Rng) -> Backdrop:
    """A table before a wall with a window."""
    light = draw_light(INDOOR_LIGHTS, rng)
    canvas = _walls(pick(ROOM_WALLS, rng), pick(WOODS, rng), 196, light)
    window_left = bool(rng.random() < 0.5)
    x = int(rng.integers(18, 34)) if window_left else int(rng.integers(150, 166))
    _draw_window(canvas, (x, 20, x + 74, 92), light, rng)
    back, front = int(rng.integers(140, 150)), int(rng.integers(186, 196))
    _draw_table(canvas, back, front, pick(WOODS, rng))
    picture = mottle(canvas.picture(), 0, 4, (5, 5), rng)
    wall = Band(12, 122, x + 84, SIZE - 6) if window_left else Band(12, 122, 6, x - 10)
    return Backdrop(
        "room",
        picture,
        {Zone.TABLE: Band(back + 14, front - 4, 26, SIZE - 26, far=0.86, near=1.1), Zone.WALL: wall},
        light,
    )


def bedroom(rng: Rng) -> Backdrop:
    """A bed seen from the side, and the floor before it."""
    light = draw_light(INDOOR_LIGHTS, rng)
    floor_row = int(rng.integers(156, 164))
    canvas = _walls(pick(BEDROOM_WALLS, rng), pick(WOODS, rng), floor_row, light)
    bed_left = int(rng.integers(10, 60))
    _draw_rug(canvas, (int(rng.integers(10, 60)), 212, int(rng.integers(190, 246)), 246), pick(CLOTHS, rng))
    _draw_bed(canvas, bed_left, bed_left + 186, pick(CLOTHS, rng), pick(WOODS, rng))
    picture = mottle(canvas.picture(), 0, 4, (5, 5), rng)
    zones = {
        Zone.BED: Band(146, 160, bed_left + 62, bed_left + 178),
        Zone.FLOOR: Band(216, 250, 3, SIZE - 3, far=0.88),
        Zone.WALL: Band(8, 92, 8, SIZE - 8),
    }
    return Backdrop("bedroom", picture, zones, light)


def living_room(rng: Rng) -> Backdrop:
    """A sofa, a shelf on the wall, and the floor before them."""
    light = draw_light(INDOOR_LIGHTS, rng)
    canvas = _walls(pick(LIVING_WALLS, rng), pick(WOODS, rng), int(rng.integers(158, 166)), light)
    shelf_left = bool(rng.random() < 0.5)
    left = int(rng.integers(12, 24)) if shelf_left else int(rng.integers(116, 128))
    board = int(rng.integers(74, 88))
    _draw_rug(canvas, (int(rng.integers(16, 60)), 204, int(rng.integers(196, 242)), 244), pick(CLOTHS, rng))
    sofa = int(rng.integers(16, 96))
    _draw_sofa(canvas, sofa, sofa + 144, pick(CLOTHS, rng))
    _draw_shelf(canvas, left, left + 116, board, pick(WOODS, rng))
    picture = mottle(canvas.picture(), 0, 4, (5, 5), rng)
    wall = Band(8, 104, left + 122, SIZE - 6) if shelf_left else Band(8, 104, 6, left - 6)
    zones = {
        Zone.SHELF: Band(board + 1, board + 3, left + 4, left + 112, near=0.95),
        Zone.FLOOR: Band(206, 250, 3, SIZE - 3, far=0.85),
        Zone.WALL: wall,
    }
    return Backdrop("living room", picture, zones, light)


def _walls(wall: Colour, floor: Colour, floor_row: int, light: Light) -> Canvas:
    canvas = Canvas()
    canvas.tint = light.tint
    canvas.rows(0, floor_row, lighten(wall, 0.12), darken(wall, 0.94))
    canvas.rows(floor_row, SIZE, darken(floor, 0.86), floor)
    canvas.rows(floor_row - 6, floor_row, lighten(wall, 0.55), lighten(wall, 0.4))
    row, height = float(floor_row), 9.0
    while row < SIZE:  # floor boards, wider towards the viewer
        canvas.block((0, row, SIZE, row + 1.5), darken(floor, 0.78), opacity=0.5)
        row, height = row + height, height * 1.3
    return canvas


def _draw_window(canvas: Canvas, box: tuple[int, int, int, int], light: Light, rng: Rng) -> None:
    left, top, right, bottom = box
    canvas.block((left - 6, top - 6, right + 6, bottom + 6), (246, 242, 234), 3)
    tint, canvas.tint = canvas.tint, WHITE_LIGHT
    outside = [(left, top), (right, top), (right, bottom), (left, bottom)]
    canvas.shape(outside, *light.sky)
    green = darken(vary((130, 184, 110), rng), 1.0 if light.condition is Condition.DAY else 0.45)
    canvas.block((left, bottom - 18, right, bottom), green)
    canvas.tint = tint
    middle, centre = (left + right) / 2, (top + bottom) / 2
    canvas.block((middle - 2, top, middle + 2, bottom), (246, 242, 234))
    canvas.block((left, centre - 2, right, centre + 2), (246, 242, 234))
    canvas.block((left - 10, bottom + 4, right + 10, bottom + 10), (236, 230, 220), 2)


def _draw_table(canvas: Canvas, back: int, front: int, wood: Colour) -> None:
    for left in (26, SIZE - 40):
        canvas.block((left, front + 8, left + 14, SIZE), darken(wood, 0.72))
    top = [(26, back), (SIZE - 26, back), (SIZE - 8, front), (8, front)]
    canvas.shape(top, lighten(wood, 0.22), wood)
    canvas.block((8, front, SIZE - 8, front + 12), darken(wood, 0.78), 3)


def _draw_rug(canvas: Canvas, box: tuple[int, int, int, int], cloth: Colour) -> None:
    left, top, right, bottom = box
    pale = lighten(cloth, 0.3)
    canvas.ellipse(box, pale)
    canvas.ellipse((left + 12, top + 4, right - 12, bottom - 4), lighten(cloth, 0.5))


def _draw_bed(canvas: Canvas, left: int, right: int, blanket: Colour, wood: Colour) -> None:
    canvas.block((left + 2, 184, left + 12, 206), darken(wood, 0.7), 2)
    canvas.block((right - 10, 184, right, 206), darken(wood, 0.7), 2)
    canvas.block((left, 94, left + 14, 196), wood, 6)
    canvas.block((right - 8, 134, right + 2, 196), wood, 5)
    canvas.block((left + 8, 136, right - 4, 180), (240, 236, 230), 6)
    canvas.block((left + 14, 124, left + 58, 148), (252, 250, 246), 9)
    canvas.block((left + 58, 132, right - 4, 192), blanket, 9)
    canvas.block((left + 58, 132, right - 4, 160), lighten(blanket, 0.16), 9)
    canvas.block((left + 8, 186, right - 4, 196), darken(wood, 0.9), 3)


def _draw_sofa(canvas: Canvas, left: int, right: int, cloth: Colour) -> None:
    middle = (left + right) / 2
    canvas.block((left + 6, 118, right - 6, 172), darken(cloth, 0.9), 12)
    canvas.block((left + 12, 124, middle, 168), cloth, 8)
    canvas.block((middle, 124, right - 12, 168), lighten(cloth, 0.05), 8)
    canvas.block((left + 10, 158, right - 10, 190), lighten(cloth, 0.14), 7)
    canvas.block((left, 142, left + 20, 194), darken(cloth, 0.82), 9)
    canvas.block((right - 20, 142, right, 194), darken(cloth, 0.82), 9)
    for x in (left + 8, right - 16):
        canvas.block((x, 192, x + 8, 200), (92, 66, 48), 2)


def _draw_shelf(canvas: Canvas, left: int, right: int, board: int, wood: Colour) -> None:
    for x in (left + 16, right - 24):
        canvas.block((x, board + 6, x + 8, board + 18), darken(wood, 0.7), 3)
    canvas.block((left, board, right, board + 8), wood, 2)
    canvas.block((left, board + 6, right, board + 9), darken(wood, 0.74), 1)
