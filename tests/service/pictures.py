"""Pictures for the tests: good ones of every mode, and everything a stranger might send instead."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageCms, PngImagePlugin

SIZE = (40, 30)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def gradient(size: tuple[int, int] = SIZE) -> Image.Image:
    """Different at every corner, smooth in between."""
    red, green = Image.linear_gradient("L").resize(size), Image.linear_gradient("L").rotate(90).resize(size)
    return Image.merge("RGB", (red, green, Image.new("L", size, 90)))


def frames(kind: str, count: int = 3) -> bytes:
    first, *rest = (Image.new("RGB", SIZE, (index * 40 % 256, 0, 0)) for index in range(count))
    return encoded(first, kind, save_all=True, append_images=rest)


def png_header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG that claims a size and brings no pixels."""
    body = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", body)
        + chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + chunk(b"IEND", b"")
    )


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@cache
def text_bomb() -> bytes:
    """A small PNG whose compressed comment unfolds to 200 MB."""
    good = encoded(gradient())
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 200_000_000, 9))
    return good[:33] + bomb + good[33:]


@cache
def flat_bomb() -> bytes:
    """144 megapixels of nothing in a few hundred kilobytes."""
    row = b"\0" * (1 + 12_000 * 3)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(row) for _ in range(12_000)) + packer.flush()
    header = struct.pack(">IIBBBBB", 12_000, 12_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


Corpus = dict[str, Callable[[], bytes]]
"""Made when asked for: bombs take a moment to build."""


def saved(kind: str) -> Callable[[], bytes]:
    return lambda: encoded(gradient(), kind)


def cut(kind: str) -> Callable[[], bytes]:
    def half() -> bytes:
        good = encoded(gradient((200, 150)), kind)
        return good[: len(good) // 2]

    return half


FOREIGN: Corpus = {
    **{kind: saved(kind) for kind in ("BMP", "TIFF", "ICO", "PPM", "TGA", "PDF", "EPS", "JPEG2000", "AVIF")},
    "animated GIF": lambda: frames("GIF"),
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "PSD": lambda: b"8BPS\0\1" + b"\0" * 60,
    "text": lambda: b"hello",
    "nothing": lambda: b"",
    "HTML": lambda: b"<html><body>\x89PNG</body></html>",
}
"""What other parsers would gladly read."""

BROKEN: Corpus = {
    **{f"half a {kind}": cut(kind) for kind in ("PNG", "JPEG", "WEBP")},
    **{f"{kind} signature": lambda kind=kind: saved(kind)()[:16] for kind in ("PNG", "JPEG", "WEBP")},  # type: ignore[misc]
    "PNG without pixels": lambda: png_header(40, 30),
    "comment bomb": text_bomb,
}
"""The right first bytes, and then not."""

TOO_LARGE: Corpus = {
    "60000x60000": lambda: png_header(60_000, 60_000),
    "30000x30000 in 16 bits": lambda: png_header(30_000, 30_000, 16, 6),
    "65535x16": lambda: png_header(65_535, 16),
    "144 megapixels": flat_bomb,
}

UNSUPPORTED: Corpus = {
    "animated PNG": lambda: frames("PNG"),
    "301 frames": lambda: frames("PNG", 301),
    "animated WebP": lambda: frames("WEBP"),
    "1xN": lambda: encoded(Image.new("RGB", (1, 400))),
    "15 high": lambda: encoded(Image.new("RGB", (40, 15))),
    "21:1": lambda: encoded(Image.new("RGB", (420, 20))),
}
"""Sound, but not what is taken."""

TAKEN: Corpus = {
    **{kind: saved(kind) for kind in ("PNG", "JPEG", "WEBP")},
    **{mode: lambda mode=mode: encoded(gradient().convert(mode)) for mode in ("1", "L", "LA", "P", "RGBA")},  # type: ignore[misc]
    "16-bit grey": lambda: sixteen_bit_grey(40_000),
    "CMYK": lambda: encoded(gradient().convert("CMYK"), "JPEG"),
    "MPO": lambda: frames("MPO"),
    "with metadata": lambda: full_of_metadata(),
}


def sixteen_bit_grey(value: int) -> bytes:
    return encoded(Image.frombytes("I;16", SIZE, struct.pack("<H", value) * (SIZE[0] * SIZE[1])))


def with_profile(image: Image.Image, profile: bytes, kind: str = "PNG") -> bytes:
    return encoded(image, kind, icc_profile=profile)


def swapped_profile() -> bytes:
    """An sRGB profile whose red and green primaries changed places: what it says red, we must see green."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for index in range(struct.unpack(">I", profile[128:132])[0]):
        at = 132 + 12 * index
        name = bytes(profile[at : at + 4])
        if name in (b"rXYZ", b"gXYZ"):
            profile[at : at + 4] = b"gXYZ" if name == b"rXYZ" else b"rXYZ"
        if name == b"desc":
            offset = struct.unpack(">I", profile[at + 4 : at + 8])[0]
            size = struct.unpack(">I", profile[at + 8 : at + 12])[0]
            profile[offset + 28 : offset + size] = b"\0X" * ((size - 28) // 2)
    return bytes(profile)


def full_of_metadata() -> bytes:
    """A PNG with EXIF (GPS included), XMP and text."""
    exif = Image.Exif()
    exif[0x0110] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "SecretComment")
    info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>SecretXmp</x:xmpmeta>")
    return encoded(gradient(), "PNG", exif=exif, pnginfo=info)
