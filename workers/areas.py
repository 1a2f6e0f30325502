"""The areas of a request in the method's terms: in pixels of what the model sees, the whole or a crop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api_schemas.insertions import InsertionRequest, Region
from workers.addit.boxes import Box
from workers.addit.placing import POINT_SPREAD, Area, Placing
from workers.crops import Size
from workers.runner import Masks


def to_placing(request: InsertionRequest, masks: Masks, picture: Size, working: Size) -> Placing | None:
    """Where the subject shall be in a picture that is worked on at another size; None: anywhere."""
    if request.region is None and request.avoid is None:
        return None
    region, avoid = (
        None if area is None else _to_area(area, masks.get(name), picture, working)
        for name, area in (("region", request.region), ("avoid", request.avoid))
    )
    return Placing(region, avoid)


def _to_area(asked: Region, mask: Image.Image | None, picture: Size, working: Size) -> Area:
    across, down = working[0] / picture[0], working[1] / picture[1]
    if asked.box is not None:
        left, top, right, bottom = asked.box
        return Area(box=(left * across, top * down, right * across, bottom * down))
    if asked.points is not None:
        points = tuple((x * across, y * down) for x, y in asked.points)
        return Area(points=points, spread=POINT_SPREAD * min(working))
    assert mask is not None, "an area without box and points comes with its mask"
    return Area(mask=_shares(mask.convert("L")))


def crop_placing(placing: Placing, whole: Size, window: Box, working: Size) -> Placing | None:
    """The placing in a picture of size `whole` for its part `window`, worked on at a size of its own.

    An area that does not show there says nothing about it.
    """
    region, avoid = (
        None if area is None else _crop(area, whole, window, working)
        for area in (placing.region, placing.avoid)
    )
    return Placing(region, avoid) if region or avoid else None


def _crop(area: Area, whole: Size, window: Box, working: Size) -> Area | None:
    """Boxes and points go on beyond the window."""
    across, down = working[0] / (window[2] - window[0]), working[1] / (window[3] - window[1])
    if area.points:
        points = tuple(((x - window[0]) * across, (y - window[1]) * down) for x, y in area.points)
        return Area(points=points, spread=area.spread * across)
    if area.box is not None:
        left, right = ((x - window[0]) * across for x in area.box[::2])
        top, bottom = ((y - window[1]) * down for y in area.box[1::2])
        shown = left < working[0] and top < working[1] and right > 0 and bottom > 0
        return Area(box=(left, top, right, bottom)) if shown else None
    assert area.mask is not None
    part = _part(area.mask, whole, window, working)
    return Area(mask=part) if bool(part.any()) else None


def _part(mask: NDArray[np.float32], whole: Size, window: Box, working: Size) -> NDArray[np.float32]:
    """(H, W) of what a mask (h, w), stretched over the whole, says about the window."""
    rows, columns = mask.shape
    scale = columns / whole[0], rows / whole[1]
    left, top, right, bottom = (at * scale[i % 2] for i, at in enumerate(window))
    drawn = Image.fromarray((mask * 255).astype(np.uint8))
    part = drawn.resize(working, Image.Resampling.BOX, (left, top, right, bottom))
    return _shares(part)


def _shares(grey: Image.Image) -> NDArray[np.float32]:
    """(H, W) in 0..1 of a picture of mode L."""
    return np.asarray(grey, np.float32) / np.float32(255)
