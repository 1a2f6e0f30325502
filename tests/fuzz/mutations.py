"""Pictures damaged in ways that parsers care about: cut, flipped, wrong lengths and sizes, appended to."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image

from tests.service import pictures
from tests.service.pictures import encoded, gradient

Mutation = Callable[[bytes, random.Random], bytes]
PNG_HEAD, RIFF_HEAD = 8, 12
SIZES = (0, 1, 15, 16, 8192, 8193, 60_000, 65_535, 2**31 - 1, 2**31, 2**32 - 1)


def seeds() -> dict[str, bytes]:
    """Sound files of every format and mode that is taken, and some that are refused for what they are."""
    more = {
        "progressive JPEG": encoded(gradient(), "JPEG", progressive=True, quality=80),
        "JPEG with EXIF": encoded(gradient(), "JPEG", exif=_exif()),
        "grey JPEG": encoded(gradient().convert("L"), "JPEG"),
        "lossless WebP": encoded(gradient(), "WEBP", lossless=True),
        "WebP with alpha and EXIF": encoded(gradient().convert("RGBA"), "WEBP", exif=_exif()),
        "PNG with a profile": pictures.with_profile(gradient(), pictures.swapped_profile()),
        "palette with transparency": encoded(gradient().convert("P"), transparency=3),
    }
    made = {
        name: make() for corpus in (pictures.TAKEN, pictures.UNSUPPORTED) for name, make in corpus.items()
    }
    foreign = {name: pictures.FOREIGN[name]() for name in ("TIFF", "animated GIF")}  # enter no parser
    large = {kind: encoded(gradient((250, 200)).resize((3000, 2400)), kind) for kind in ("PNG", "JPEG")}
    return {**made, **more, **foreign, **{f"large {kind}": data for kind, data in large.items()}}


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker" * 20
    return exif


def mutated(data: bytes, dice: random.Random) -> bytes:
    """One to four mutations, one after the other."""
    for _ in range(dice.randint(1, 4)):
        data = dice.choice(MUTATIONS)(data, dice)
    return data


def cut(data: bytes, dice: random.Random) -> bytes:
    """The end is missing."""
    return data[: dice.randint(0, len(data))]


def flip_bits(data: bytes, dice: random.Random) -> bytes:
    """Up to 16 bits anywhere."""
    flipped = bytearray(data)
    for _ in range(dice.randint(1, 16) if data else 0):
        flipped[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(flipped)


def overwrite(data: bytes, dice: random.Random) -> bytes:
    """A stretch of zeros, ones or noise."""
    at, length = dice.randint(0, len(data)), dice.randint(1, 64)
    fill = dice.choice((b"\0" * length, b"\xff" * length, dice.randbytes(length)))
    return data[:at] + fill + data[at + length :]


def repeat(data: bytes, dice: random.Random) -> bytes:
    """A stretch once more."""
    at = dice.randint(0, len(data))
    return data[:at] + data[at : at + dice.randint(1, 200)] * dice.randint(1, 3) + data[at:]


def append(data: bytes, dice: random.Random) -> bytes:
    """Another file behind it, or in front: a polyglot."""
    other = dice.choice((b"PK\3\4" + b"\0" * 30, b"<script>", dice.randbytes(300), pictures.FOREIGN["SVG"]()))
    return data + other if dice.random() < 0.8 else other + data


def lie_about_lengths(data: bytes, dice: random.Random) -> bytes:
    """The length that a PNG chunk, a JPEG segment or a RIFF chunk says it has."""
    places = _lengths(data)
    if not places:
        return flip_bits(data, dice)
    at, form = dice.choice(places)
    said = dice.choice((0, 1, 2, dice.randrange(2**16), 2**31, 2**32 - 1)) % 256 ** struct.calcsize(form)
    return data[:at] + struct.pack(form, said) + data[at + struct.calcsize(form) :]


def lie_about_size(data: bytes, dice: random.Random) -> bytes:
    """Width and height, depth and colours in the header; the checksum is put right."""
    width, height = dice.choice(SIZES), dice.choice((*SIZES, 30))
    if data.startswith(b"\x89PNG") and len(data) > 33:
        head = struct.pack(">II", width, height) + data[24:29]
        if dice.random() < 0.5:
            head = head[:8] + bytes((dice.choice((1, 2, 4, 8, 16, 99)), dice.randrange(8))) + head[10:]
        return data[:PNG_HEAD] + pictures.chunk(b"IHDR", head) + data[33:]
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    if data.startswith(b"\xff\xd8") and frame > 0:
        return data[: frame + 5] + struct.pack(">HH", height % 65_536, width % 65_536) + data[frame + 9 :]
    if data[8:12] == b"WEBP" and len(data) > 30:
        return data[:24] + struct.pack("<I", width % 2**32)[:3] + data[27:]
    return overwrite(data, dice)


def bomb(data: bytes, dice: random.Random) -> bytes:
    """A PNG whose pixels, comment or profile unfold to far more than it says."""
    packed = _packed_zeros(dice.choice((10**5, 10**7)))
    name, head = dice.choice(((b"IDAT", b""), (b"zTXt", b"c\0\0"), (b"iCCP", b"p\0\0"), (b"fdAT", b"\0" * 4)))
    at = 33 if data.startswith(b"\x89PNG") else PNG_HEAD
    return data[:at] + pictures.chunk(name, head + packed) + data[at:]


@cache
def _packed_zeros(count: int) -> bytes:
    return zlib.compress(bytes(count), 9)


def _lengths(data: bytes) -> list[tuple[int, str]]:
    """Where lengths stand, and how they are written."""
    if data.startswith(b"\x89PNG"):
        return [(at, ">I") for at in _walk(data, PNG_HEAD, ">I", 0, 12)]
    if data.startswith(b"\xff\xd8"):
        return [(at + 2, ">H") for at in _walk(data, 2, ">H", 2, 2)]
    if data.startswith(b"RIFF"):
        return [(4, "<I"), *((at + 4, "<I") for at in _walk(data, RIFF_HEAD, "<I", 4, 8))]
    return []


def _walk(data: bytes, at: int, form: str, offset: int, extra: int) -> list[int]:
    """The beginnings of chunks, one after the other as their lengths say. offset: of the length in a chunk"""
    found = list[int]()
    while at + offset + struct.calcsize(form) <= len(data) and len(found) < 64:
        found.append(at)
        at += int(struct.unpack_from(form, data, at + offset)[0]) + extra
    return found


MUTATIONS: tuple[Mutation, ...] = (
    cut, flip_bits, overwrite, repeat, append, lie_about_lengths, lie_about_size, bomb,
)  # fmt: skip
