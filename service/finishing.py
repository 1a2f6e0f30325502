"""A result's picture as OpenAI's clients may ask for it: another size, another compression."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from api_schemas.image_edits import Format
from runtime.content_credentials import Credentials, Parent, resized
from runtime.digital_source import found_in, saving
from service.errors import invalid_field

MAX_SIDE, MAX_PIXELS = 8192, 25_000_000
Size = tuple[int, int]
"""(width, height)"""


def wanted_size(asked: str | None, own: Size) -> Size:
    """The size of results. Raises `Refusal` where it is of another shape than the picture's `own`."""
    if asked in (None, "auto"):
        return own
    width, height = (int(side) for side in str(asked).split("x"))
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise invalid_field("size", f"at most {MAX_SIDE} pixels a side and {MAX_PIXELS} in all")
    if abs(width * own[1] / own[0] - height) > 1 and abs(height * own[0] / own[1] - width) > 1:
        shape = f"{own[0]}x{own[1]}"
        raise invalid_field("size", f"is not of the picture's shape, which stays as it is: {shape}, or auto")
    return width, height


def finish(
    data: bytes, size: Size, format: Format, compression: int | None, credentials: Credentials | None = None
) -> bytes:
    """The picture at that size and compression; untouched where it has them already.

    What made it stays said inside, and is signed anew, as of the picture that it was.
    """
    with Image.open(BytesIO(data)) as picture:
        lossy = compression is not None and format != "png"
        if picture.size == size and not lossy:
            return data
        out = BytesIO()
        quality = {"quality": compression} if lossy else {}
        xmp = found_in(picture.info)
        told = saving(xmp, format) if xmp else {}
        picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(out, format, **quality, **told)
    if credentials is None:
        return out.getvalue()
    return credentials.sign(out.getvalue(), format, resized(), Parent(data, format, "result"))
