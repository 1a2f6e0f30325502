"""Areas of a request judged against the size of its picture. Pure; no I/O.

What only a mask's pixels tell is judged by the engine.
"""

from __future__ import annotations

from api_schemas.insertions import GeneratedSource, InsertionRequest, Region
from service.errors import Refusal

Size = tuple[int, int]


def check_areas(request: InsertionRequest, picture_size: Size | None) -> None:
    """Raise `Refusal` (region_empty) for a box or a point that lies outside the picture.

    request: as `resolve` completed it; picture_size: (width, height) of an image source
    """
    source = request.source
    if isinstance(source, GeneratedSource):
        assert source.width is not None
        assert source.height is not None
        picture_size = source.width, source.height
    assert picture_size is not None
    for name, area in (("region", request.region), ("avoid", request.avoid)):
        if area is not None and (outside := _outside(area, picture_size)):
            width, height = picture_size
            raise Refusal(
                "region_empty",
                f"{name}: {outside} lies outside the picture, which is {width}x{height}.",
                data={"field": name, "width": width, "height": height},
            )


def _outside(area: Region, size: Size) -> str | None:
    """What of an area shows nothing of the picture."""
    if area.box is not None:
        left, top, right, bottom = area.box
        seen = left < size[0] and top < size[1] and right > 0 and bottom > 0
        return None if seen else f"the box {area.box}"
    for x, y in area.points or ():
        if not (0 <= x < size[0] and 0 <= y < size[1]):
            return f"the point {[x, y]}"
    return None
