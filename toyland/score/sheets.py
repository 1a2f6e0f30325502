"""Pictures side by side in one PNG file that is small enough for a repository."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from toyland.sheet import tile
from workers.addit.localizers import Picture
from workers.models.toyland.detector import Detection

MOST_BYTES = 400_000
COLOURS = (256, 128, 64)
SIDES = (192, 160, 128, 96)  # pixels of a picture, the largest that fits
LINE = 12  # pixels of a caption's height
FOUND, OTHER = (220, 30, 30), (255, 255, 255)


def save_sheet(pictures: Sequence[Picture], columns: int, file: Path) -> None:
    """The pictures in rows, as large and as colourful as `MOST_BYTES` let them be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    for side in SIDES:
        sheet = tile([_at_side(picture, side) for picture in pictures], columns)
        for colours in COLOURS:
            stream = BytesIO()
            sheet.quantize(colours, dither=Image.Dither.FLOYDSTEINBERG).save(stream, "PNG", optimize=True)
            if stream.tell() <= MOST_BYTES:
                file.write_bytes(stream.getvalue())
                return
    raise ValueError(f"{len(pictures)} pictures are too many for one sheet")


def _at_side(picture: Picture, side: int) -> Image.Image:
    """Resized to this width, a caption below it kept in proportion."""
    height = round(side * picture.shape[0] / picture.shape[1])
    return Image.fromarray(picture).resize((side, height), Image.Resampling.LANCZOS)


def with_boxes(picture: Picture, found: Sequence[Detection], subject: str) -> Picture:
    """The picture with what was found drawn in, the subject in red."""
    shown = Image.fromarray(picture)
    draw = ImageDraw.Draw(shown)
    for thing in found:
        colour = FOUND if thing.name == subject else OTHER
        left, top, right, bottom = thing.box
        draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour)
        draw.text((left + 2, top + 1), f"{thing.name} {thing.score:.2f}", fill=colour)
    return np.asarray(shown)


def with_caption(picture: Picture, lines: Sequence[str]) -> Picture:
    """The picture with lines of text under it, cut where they are too long."""
    height, width = picture.shape[:2]
    shown = Image.new("RGB", (width, height + LINE * len(lines)))
    shown.paste(Image.fromarray(picture))
    draw = ImageDraw.Draw(shown)
    for number, line in enumerate(lines):
        draw.text((2, height + LINE * number), line, fill=(255, 255, 255))
    return np.asarray(shown)


def outlined(picture: Picture, bad: bool) -> Picture:
    """The picture in a thin frame: red where something went wrong."""
    framed = picture.copy()
    colour = (220, 30, 30) if bad else (60, 170, 90)
    for edge in (np.s_[:3], np.s_[-3:], np.s_[:, :3], np.s_[:, -3:]):
        framed[edge] = colour
    return framed
