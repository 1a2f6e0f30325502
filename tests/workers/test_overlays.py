from __future__ import annotations

import numpy as np
from PIL import Image

from workers.addit.localizers import SegmenterPrompt
from workers.overlays import ASKED, FOUND, GAP, asked, box, contact_sheet, heat, outline, points

SIZE = (120, 80)
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 120, 3), dtype=np.uint8))
PIXELS = np.asarray(PICTURE).copy()


def mask_of(left: int, top: int, right: int, bottom: int) -> Image.Image:
    mask = Image.new("L", SIZE)
    mask.paste(255, (left, top, right, bottom))
    return mask


def changed(drawn: Image.Image) -> np.ndarray:
    assert drawn.size == SIZE
    assert (np.asarray(PICTURE) == PIXELS).all()
    return (np.asarray(drawn) != PIXELS).any(axis=-1)


def test_where_no_attention_lies_the_picture_shows() -> None:
    attention = Image.new("L", (12, 8))
    attention.paste(255, (0, 0, 3, 8))
    where = changed(heat(PICTURE, attention))
    assert where[:, :20].mean() > 0.99
    assert not where[:, 60:].any()


def test_more_attention_is_brighter() -> None:
    grey = Image.new("RGB", (256, 1), (0, 0, 0))
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    shades = np.asarray(heat(grey, ramp)).astype(int).sum(axis=-1)[0]
    assert (np.diff(shades) >= -1).all()  # by rounding
    assert shades[-1] > shades[128] > shades[0]


def test_the_outline_lies_around_the_mask() -> None:
    drawn = outline(PICTURE, mask_of(30, 20, 60, 50))
    where = changed(drawn)
    assert where[19, 30:60].all()
    assert (np.asarray(drawn)[19, 30:60] == FOUND).all()
    assert not where[20:50, 30:60].any()
    assert not where[:18].any()


def test_points_and_box_lie_where_they_are_said_to() -> None:
    where = changed(points(PICTURE, [(10.0, 20.0), (100.0, 60.0)]))
    assert where[20, 10]
    assert where[60, 100]
    assert where.sum() < 2 * 60
    assert not changed(points(PICTURE, [])).any()
    framed = box(PICTURE, (10, 20, 40, 50))
    rows, columns = np.nonzero(changed(framed))
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (10, 20, 40, 50)
    assert tuple(np.asarray(framed)[20, 15]) == ASKED


def test_a_sheet_holds_every_picture_whole() -> None:
    red, tall = Image.new("RGB", (40, 20), (255, 0, 0)), Image.new("L", (10, 30), 0)
    sheet = np.asarray(contact_sheet([red, tall, red], columns=2, side=30))
    assert sheet.shape == (2 * 30 + GAP, 2 * 30 + GAP, 3)
    assert (sheet[7:22, :30] == (255, 0, 0)).all()
    assert (sheet[:30, 30 + GAP + 10 : 30 + GAP + 20] == 0).all()
    assert (sheet[30 + GAP :, 30 + GAP :] == 255).all()


def test_what_was_asked_at_another_size_is_drawn_at_this_one() -> None:
    prompt = SegmenterPrompt(points=((15.0, 5.0),), box=(10.0, 2.0, 20.0, 12.0))
    drawn = asked(PICTURE, prompt, width=60)
    wanted = points(box(PICTURE, (20, 4, 40, 24)), [(30, 10)])
    assert (np.asarray(drawn) == np.asarray(wanted)).all()
    assert not changed(asked(PICTURE, SegmenterPrompt(mask=None), width=60)).any()
