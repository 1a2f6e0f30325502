"""Colours come out as they are meant in every mode: CIE 1976 differences from published values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.intake.pixels import redraw
from tests.figures import Figure
from tests.service import pictures
from tests.service.pictures import encoded

SIZE = (48, 48)
Colour = tuple[int, int, int]
LAB: dict[Colour, tuple[float, float, float]] = {
    (255, 255, 255): (100, 0, 0), (0, 0, 0): (0, 0, 0), (119, 119, 119): (50.03, 0, 0),
    (255, 0, 0): (53.24, 80.09, 67.2), (0, 255, 0): (87.73, -86.18, 83.18),
    (0, 0, 255): (32.3, 79.19, -107.86),
    (0, 255, 255): (91.11, -48.09, -14.13), (255, 0, 255): (60.32, 98.23, -60.82),
    (255, 255, 0): (97.14, -21.55, 94.48),
}  # fmt: skip
"""sRGB colours and their L*a*b* under D65, as tables of them have it."""
GREYS = [colour for colour in LAB if len({*colour}) == 1]
P3_FROM_SRGB = np.array([[0.82246, 0.17754, 0], [0.03319, 0.96681, 0], [0.01708, 0.0724, 0.91052]])
"""Linear components (CSS Color 4, sections 10.2 and 10.4)."""


def plain(colour: Colour, mode: str = "RGB") -> Image.Image:
    return Image.new("RGB", SIZE, colour).convert(mode)


def linear(srgb: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, 0..1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def coded(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def lab(colour: Colour) -> np.ndarray:
    """L*a*b* of an sRGB colour by the formula (CIE 15, D65)."""
    to_xyz = np.array([[0.41246, 0.35758, 0.18044], [0.21267, 0.71515, 0.07218], [0.01933, 0.11919, 0.9503]])
    ratio = to_xyz @ linear(np.array(colour) / 255) / [0.95047, 1, 1.08883]
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def in_p3(colour: Colour) -> Colour:
    """The components that Display P3 has for an sRGB colour."""
    red, green, blue = np.rint(255 * coded(P3_FROM_SRGB @ linear(np.array(colour) / 255)))
    return int(red), int(green), int(blue)


def palette(colour: Colour, **options: Any) -> bytes:
    picture = Image.new("P", SIZE, 1)
    picture.putpalette([7, 7, 7, *colour])
    return encoded(picture, **options)


def cmyk(colour: Colour) -> bytes:
    """As Adobe writes it: inverted, and marked so."""
    return encoded(Image.new("CMYK", SIZE, (*(255 - part for part in colour), 0)), "JPEG", quality=98)


def unmarked(jpeg: bytes) -> bytes:
    """Without Adobe's mark: its numbers count as they stand."""
    at = jpeg.index(b"\xff\xee")
    return jpeg[:at] + jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big") :]


def with_orientation(jpeg: bytes) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    block = b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    return jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + jpeg[2:]


def uninverted(colour: Colour) -> bytes:
    """CMYK as most others write it. Pillow's writer inverts, so it is given the inverse."""
    inverse = Image.new("CMYK", SIZE, (*colour, 255))
    return unmarked(encoded(inverse, "JPEG", quality=98))


PROFILE = pictures.profile_of(*pictures.P3)
MODES: dict[str, Callable[[Colour], bytes]] = {
    "RGB": lambda c: encoded(plain(c)),
    "RGBA": lambda c: encoded(plain(c, "RGBA")),
    "P": palette,
    "P with tRNS": lambda c: palette(c, transparency=0),
    "P with tRNS as a list": lambda c: palette(c, transparency=b"\0\xff"),
    "RGB with tRNS": lambda c: encoded(plain(c), transparency=(1, 2, 3)),
    "16-bit RGB": lambda c: pictures.truecolour_png(*SIZE, 16, [257 * part for part in c]),
    "16-bit RGBA": lambda c: pictures.truecolour_png(*SIZE, 16, [*(257 * part for part in c), 65_535]),
    "JPEG": lambda c: encoded(plain(c), "JPEG", quality=95),
    "JPEG 4:4:4": lambda c: encoded(plain(c), "JPEG", quality=95, subsampling=0),
    "progressive JPEG": lambda c: encoded(plain(c), "JPEG", quality=95, progressive=True),
    "JPEG without conversion": lambda c: encoded(plain(c), "JPEG", quality=95, keep_rgb=True),
    "CMYK of Adobe": cmyk,
    "CMYK": uninverted,
    "CMYK turned": lambda c: with_orientation(uninverted(c)),
    "WebP": lambda c: encoded(plain(c), "WEBP", quality=95),
    "lossless WebP": lambda c: encoded(plain(c), "WEBP", lossless=True),
    "WebP with alpha": lambda c: encoded(plain(c, "RGBA"), "WEBP", lossless=True),
    "P3 PNG": lambda c: encoded(plain(in_p3(c)), icc_profile=PROFILE),
    "P3 JPEG": lambda c: encoded(plain(in_p3(c)), "JPEG", quality=98, icc_profile=PROFILE),
    "P3 WebP": lambda c: encoded(plain(in_p3(c)), "WEBP", lossless=True, icc_profile=PROFILE),
    "P3 with alpha": lambda c: encoded(plain(in_p3(c), "RGBA"), icc_profile=PROFILE),
    "half a profile": lambda c: encoded(plain(c), icc_profile=PROFILE[:200]),
    "no profile at all": lambda c: encoded(plain(c), icc_profile=b"nonsense"),
    "a profile of another mode": lambda c: encoded(plain(c, "CMYK"), "JPEG", quality=98, icc_profile=PROFILE),
}
OF_GREY: dict[str, Callable[[Colour], bytes]] = {
    "L": lambda c: encoded(plain(c, "L")),
    "LA": lambda c: encoded(plain(c, "LA")),
    "grey JPEG": lambda c: encoded(plain(c, "L"), "JPEG", quality=95),
    "16-bit grey": lambda c: pictures.sixteen_bit_grey(257 * c[0]),
    "L with a colour profile": lambda c: encoded(plain(c, "L"), icc_profile=PROFILE),
}


def error(colour: Colour, data: bytes) -> float:
    """The difference of what the picture shows from what was meant, anywhere in it."""
    shown = {*redraw(data, 10**6).get_flattened_data()}
    return max(float(np.linalg.norm(lab(one) - LAB[colour])) for one in shown)


@pytest.mark.fault(43)
def test_every_mode_shows_the_colours_that_were_meant(figure: Figure) -> None:
    errors = {mode: max(error(c, make(c)) for c in LAB) for mode, make in MODES.items()}
    errors |= {mode: max(error(c, make(c)) for c in GREYS) for mode, make in OF_GREY.items()}
    errors["1"] = max(error(c, encoded(plain(c, "1"))) for c in GREYS if c[0] in (0, 255))
    print({mode: round(value, 2) for mode, value in errors.items()})  # noqa: T201
    figure(43, "modes", len(errors))
    figure(43, "largest ΔE", max(errors.values()))


def test_the_formula_gives_the_published_values() -> None:
    for colour, expected in LAB.items():
        assert lab(colour) == pytest.approx(expected, abs=0.05)
