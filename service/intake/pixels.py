"""Hostile bytes to an upright sRGB picture without metadata. Runs in the decoder; knows no queue or HTTP.

The three plugins are entered by class, never through `Image.open`: no other parser of Pillow can be reached,
and an MPO (many phones write JPEGs as such) is read as the JPEG it starts with.
"""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image, ImageChops, ImageCms, ImageOps
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from service.intake.sniff import PictureFormat, sniff

HALF = 128
"""Alpha below which a place counts as transparent."""
MIN_SIDE, MAX_SIDE, MAX_ASPECT = 16, 8192, 20
PLUGINS: dict[PictureFormat, Callable[[io.BytesIO], ImageFile]] = {
    "png": PngImageFile,
    "jpeg": JpegImageFile,
    "webp": WebPImageFile,
}
SRGB = ImageCms.createProfile("sRGB")


class Refused(Exception):
    """A picture that is not taken. `code` is a `RequestErrorCode`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def redraw(data: bytes, max_pixels: int) -> Image.Image:
    """The picture in `data` as a fresh RGB image, EXIF orientation applied, alpha over white.

    max_pixels: of the decoded picture. Raises `Refused`; Pillow's own errors mean a broken file.
    """
    picture = _open(data)
    _check_header(picture, max_pixels)
    picture.load()
    upright = _upright(_as_inked(picture))
    plain = _over_white(_to_srgb(_eight_bits(upright)))
    return Image.frombytes("RGB", plain.size, plain.tobytes())


def opening(data: bytes, max_pixels: int) -> Image.Image:
    """White where the picture is transparent, black elsewhere. Raises `Refused` where it nowhere is."""
    picture = _open(data)
    _check_header(picture, max_pixels)
    picture.load()
    alpha = _upright(picture).convert("RGBA").getchannel("A")
    opened = alpha.point([255 if value < HALF else 0 for value in range(256)])
    if opened.getbbox() is None:
        raise Refused("invalid_image", "The mask is nowhere transparent: nothing could change.")
    return opened.convert("RGB")


def encode_png(image: Image.Image) -> bytes:
    """PNG at the fastest compression: about a third of level 6's time for a tenth more bytes."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _open(data: bytes) -> ImageFile:
    kind = sniff(data)
    if kind is None:
        raise Refused("unsupported_image", "This is not a PNG, JPEG or WebP picture.")
    return PLUGINS[kind](io.BytesIO(data))


def _check_header(picture: ImageFile, max_pixels: int) -> None:
    """Judge the size before a pixel is allocated. PIL sizes are (width, height)."""
    if getattr(picture, "n_frames", 1) > 1:
        raise Refused("unsupported_image", "Animated pictures are not taken; send a single frame.")
    width, height = picture.size
    if max(width, height) > MAX_SIDE or width * height > max_pixels:
        limit = f"{MAX_SIDE} pixels a side and {max_pixels} in all"
        raise Refused("image_too_large", f"The picture is {width}x{height}; at most {limit} are taken.")
    if min(width, height) < MIN_SIDE:
        raise Refused(
            "unsupported_image", f"The picture is {width}x{height}; a side has at least {MIN_SIDE} pixels."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise Refused(
            "unsupported_image", f"The picture is {width}x{height}; at most {MAX_ASPECT}:1 is taken."
        )


def _as_inked(picture: Image.Image) -> Image.Image:
    """CMYK with 255 for full ink. Adobe stores it inverted, with a mark; to Pillow every JPEG is such."""
    straight = picture.mode == "CMYK" and "adobe" not in picture.info
    return _with_info(picture, ImageChops.invert(picture)) if straight else picture


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # broken EXIF says nothing about the pixels
        return picture


def _eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit grey by 1/257, so that 65535 is white (Pillow clips); palettes and bits spelt out."""
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if picture.has_transparency_data:
        return _with_info(picture, picture.convert("RGBA"))
    if picture.mode in ("1", "P"):
        return _with_info(picture, picture.convert("RGB"))
    return picture


def _with_info(before: Image.Image, after: Image.Image) -> Image.Image:
    """`after` still carrying the colour profile and the orientation of `before`."""
    after.info |= {name: before.info[name] for name in ("icc_profile", "exif") if name in before.info}
    return after


def _to_srgb(picture: Image.Image) -> Image.Image:
    """Colours by the embedded profile; one that is broken, of another mode, or sRGB itself is passed over."""
    embedded = picture.info.get("icc_profile")
    if not embedded:
        return picture
    try:
        profile = ImageCms.getOpenProfile(io.BytesIO(embedded))
        if ImageCms.getProfileDescription(profile).startswith("sRGB"):
            return picture
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(picture, profile, SRGB, outputMode=mode) or picture
    except Exception:
        return picture


def _over_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white
