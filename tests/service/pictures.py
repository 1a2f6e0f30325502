"""Pictures for the tests: good ones of every mode, and everything a stranger might send instead."""

from __future__ import annotations

import io
import random
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


def with_chunk(name: bytes, body: bytes) -> bytes:
    """A sound PNG with one more chunk after its header."""
    good = encoded(gradient())
    return good[:33] + chunk(name, body) + good[33:]


@cache
def unfolding() -> bytes:
    """Deflated zeros: 200 MB of them."""
    return zlib.compress(b"\0" * 200_000_000, 9)


def text_bomb() -> bytes:
    """A small PNG whose compressed comment unfolds to 200 MB."""
    return with_chunk(b"zTXt", b"Comment\0\0" + unfolding())


def jpeg_header(width: int, height: int) -> bytes:
    """A JPEG that claims a size and brings no pixels."""
    good = encoded(gradient(), "JPEG")
    at = good.index(b"\xff\xc0") + 5
    return good[:at] + struct.pack(">HH", height, width) + good[at + 4 :]


def webp_header(width: int, height: int) -> bytes:
    """A WebP (VP8L) that claims a size, at most 16384 a side, and brings no pixels."""
    good = bytearray(encoded(gradient(), "WEBP", lossless=True))
    bits = struct.unpack("<I", good[21:25])[0] & 0xF0000000
    good[21:25] = struct.pack("<I", bits | (height - 1) << 14 | (width - 1))
    return bytes(good[:40])


def mpo_with_a_bomb() -> bytes:
    """Sound as the JPEG it starts with; its second frame has 144 megapixels."""
    first, second = (Image.new("RGB", size, (9, 9, 9)) for size in (SIZE, (12_000, 12_000)))
    return encoded(first, "MPO", save_all=True, append_images=[second])


def truecolour_png(width: int, height: int, depth: int, samples: list[int]) -> bytes:
    """Every pixel the same: three samples are RGB, four RGBA, of 8 or 16 bits."""
    pixel = struct.pack(f">{len(samples)}{'H' if depth == 16 else 'B'}", *samples)
    header = struct.pack(">IIBBBBB", width, height, depth, {3: 2, 4: 6}[len(samples)], 0, 0, 0)
    rows = zlib.compress((b"\0" + pixel * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


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
    "16384x16384 WebP": lambda: webp_header(16_384, 16_384),
    "WebP without pixels": lambda: webp_header(40, 30),
    "0x0 PNG": lambda: png_header(0, 0),
    "0x0 JPEG": lambda: jpeg_header(0, 0),
}
"""The right first bytes, and then not."""

TOO_LARGE: Corpus = {
    "60000x60000": lambda: png_header(60_000, 60_000),
    "30000x30000 in 16 bits": lambda: png_header(30_000, 30_000, 16, 6),
    "65535x16": lambda: png_header(65_535, 16),
    "65535x65535 JPEG": lambda: jpeg_header(65_535, 65_535),
    "65535x16 JPEG": lambda: jpeg_header(65_535, 16),
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
    "16-bit colour": lambda: truecolour_png(40, 30, 16, [65_535, 257, 40_000]),
    "progressive JPEG": lambda: encoded(gradient(), "JPEG", progressive=True),
    "lossless WebP": lambda: encoded(gradient(), "WEBP", lossless=True),
    "PNG and ZIP": lambda: encoded(gradient()) + b"PK\3\4" + b"\0" * 60 + b"PK\5\6" + b"\0" * 18,
    "JPEG and HTML": lambda: encoded(gradient(), "JPEG", comment=b"<script>alert(1)</script>") + b"<html>",
    "PNG and PHP": lambda: with_chunk(b"tEXt", b"Comment\0<?php system($_GET[0]); ?>"),
}
"""Polyglots are taken for what they are to us; only their pixels stay."""


def mutated(dice: random.Random, seed: bytes) -> bytes:
    """A file with some bytes, bits or lengths changed, stretches doubled, zeroed or lost, or cut short."""
    data = bytearray(seed)
    for _ in range(dice.randint(1, 8)):
        at, length = dice.randrange(len(data)), dice.randint(1, 64)
        match dice.randrange(6):
            case 0:
                data[at] ^= 1 << dice.randrange(8)
            case 1:
                data[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                data[at : at + 4] = dice.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"))
            case 3:
                data[at:at] = data[at : at + length]
            case 4:
                data[at : at + length] = bytes(length)
            case 5 if len(data) > 2 * length:
                del data[at : at + length]
    return bytes(data[: dice.choice((len(data), len(data), dice.randint(1, len(data))))])


def sixteen_bit_grey(value: int) -> bytes:
    return encoded(Image.frombytes("I;16", SIZE, struct.pack("<H", value) * (SIZE[0] * SIZE[1])))


def with_profile(image: Image.Image, profile: bytes, kind: str = "PNG") -> bytes:
    return encoded(image, kind, icc_profile=profile)


def swapped_profile() -> bytes:
    """An sRGB profile whose red and green primaries changed places: what it says red, we must see green."""
    red, green, blue = (srgb_primary(name) for name in ("rXYZ", "gXYZ", "bXYZ"))
    return profile_of(green, red, blue)


P3 = [(0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)]
"""Display P3's primaries as ICC profiles have them: XYZ under D50."""


def profile_of(*primaries: tuple[float, float, float]) -> bytes:
    """An sRGB profile with other primaries, red, green and blue in XYZ, and a name that is not sRGB's."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for name, primary in zip(("rXYZ", "gXYZ", "bXYZ"), primaries, strict=True):
        at, _ = tag_of(profile, name)
        profile[at + 8 : at + 20] = struct.pack(">3i", *(round(65536 * part) for part in primary))
    at, size = tag_of(profile, "desc")
    profile[at + 28 : at + size] = b"\0X" * ((size - 28) // 2)
    return bytes(profile)


def srgb_primary(name: str) -> tuple[float, float, float]:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    at, _ = tag_of(profile, name)
    x, y, z = struct.unpack(">3i", profile[at + 8 : at + 20])
    return x / 65536, y / 65536, z / 65536


def tag_of(profile: bytes | bytearray, name: str) -> tuple[int, int]:
    """Where a tag's value lies: offset and size (ICC.1:2022, 7.3)."""
    for index in range(struct.unpack(">I", profile[128:132])[0]):
        tag, offset, size = struct.unpack(">4sII", profile[132 + 12 * index : 144 + 12 * index])
        if tag == name.encode():
            return offset, size
    raise KeyError(name)


SECRET = "Secret"
"""Stands in everything that `full_of_metadata` hides."""
XMP = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{SECRET}Xmp</x:xmpmeta>".encode()


def full_of_metadata(kind: str = "PNG") -> bytes:
    """A picture with EXIF (GPS included), XMP, and what else its format has: IPTC, comments, text."""
    exif = Image.Exif()
    exif[0x0110] = f"{SECRET}Camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 14.0), 29: f"{SECRET}Date"})
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", f"{SECRET}Comment")
        info.add_text("Description", f"{SECRET}Compressed", zip=True)
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        return encoded(gradient(), "PNG", exif=exif, pnginfo=info)
    if kind == "WEBP":
        return encoded(gradient(), "WEBP", exif=exif, xmp=XMP)
    jpeg = encoded(gradient(), "JPEG", exif=exif, xmp=XMP, comment=f"{SECRET}Comment".encode())
    caption = f"{SECRET}Iptc".encode()
    iptc = b"\x1c\x02\x78" + struct.pack(">H", len(caption)) + caption
    block = (
        b"Photoshop 3.0\0"
        + b"8BIM\x04\x04\0\0"
        + struct.pack(">I", len(iptc))
        + iptc
        + b"\0" * (len(iptc) % 2)
    )
    return jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def metadata_in(png: bytes) -> list[str]:
    """What of a PNG tells of more than its pixels. One XMP packet that says nothing of ours may stand in it:
    results carry their provenance so."""
    found = [
        name
        for name in (SECRET, "8BIM", "Photoshop 3.0", "GPS", "http://ns.adobe.com/xap/1.0/\0")
        if name.encode() in png
    ]
    at = 8
    while at < len(png):
        size, name = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + size]
        if name in (b"eXIf", b"tEXt", b"zTXt", b"iCCP", b"tIME"):
            found.append(name.decode())
        if name == b"iTXt" and not body.startswith(b"XML:com.adobe.xmp\0"):
            found.append("iTXt")
        at += 12 + size
    return found
