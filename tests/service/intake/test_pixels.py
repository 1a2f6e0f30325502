"""What becomes of a picture: its colours, its way up, its metadata."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageChops, ImageFile

from service.intake.pixels import Refused, encode_png, opening, redraw
from tests.figures import Figure
from tests.service import pictures
from tests.service.pictures import encoded, gradient

PIXELS = 25_000_000


def difference(one: Image.Image, other: Image.Image) -> int:
    """The largest of any channel of any pixel."""
    assert one.size == other.size
    return max(ImageChops.difference(one, other).tobytes())


@pytest.mark.parametrize(("kind", "tolerance"), [("PNG", 0), ("JPEG", 12), ("WEBP", 12)])
def test_ordinary_pictures_stay_what_they_are(kind: str, tolerance: int) -> None:
    assert difference(redraw(encoded(gradient(), kind, quality=95), PIXELS), gradient()) <= tolerance


@pytest.mark.fault(43)
@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (257, 1), (0x8000, 128), (40_000, 156), (65_535, 255)]
)
def test_sixteen_bit_grey_is_divided_by_257(value: int, expected: int) -> None:
    assert redraw(pictures.sixteen_bit_grey(value), PIXELS).getpixel((3, 3)) == (expected,) * 3


@pytest.mark.fault(43)
@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_modes_without_alpha(mode: str) -> None:
    source = gradient().convert(mode)
    assert difference(redraw(encoded(source), PIXELS), source.convert("RGB")) == 0


@pytest.mark.fault(43)
def test_adobe_cmyk_is_not_inverted() -> None:
    # Pillow writes CMYK JPEGs as Adobe does: inverted, with the APP14 marker
    source = Image.new("CMYK", pictures.SIZE, (0, 255, 255, 0))
    red = Image.new("RGB", pictures.SIZE, (255, 0, 0))
    assert difference(redraw(encoded(source, "JPEG", quality=95), PIXELS), red) < 16


@pytest.mark.fault(43)
def test_alpha_lies_over_white() -> None:
    half = Image.new("LA", pictures.SIZE, (0, 128))
    assert redraw(encoded(half), PIXELS).getpixel((0, 0)) == (127, 127, 127)
    clear = Image.new("RGBA", pictures.SIZE, (255, 0, 0, 0))
    assert redraw(encoded(clear), PIXELS).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.fault(43)
def test_transparent_palette_colour_becomes_white() -> None:
    source = Image.new("P", pictures.SIZE, 1)
    source.putpalette([0, 0, 0, 200, 10, 10])
    source.putpixel((0, 0), 0)
    redrawn = redraw(encoded(source, transparency=0), PIXELS)
    assert redrawn.getpixel((0, 0)) == (255, 255, 255)
    assert redrawn.getpixel((5, 5)) == (200, 10, 10)


@pytest.mark.fault(43)
def test_an_embedded_profile_is_applied() -> None:
    red = Image.new("RGB", pictures.SIZE, (250, 20, 20))
    seen = redraw(pictures.with_profile(red, pictures.swapped_profile()), PIXELS).getpixel((0, 0))
    assert isinstance(seen, tuple)
    assert seen[1] > 200 > 60 > seen[0]


@pytest.mark.fault(43)
@pytest.mark.parametrize("profile", [b"broken", pictures.swapped_profile()[:200]])
def test_a_broken_profile_is_passed_over(profile: bytes) -> None:
    assert difference(redraw(pictures.with_profile(gradient(), profile), PIXELS), gradient()) == 0


UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
"""How a picture is turned to be stored, by the EXIF orientation that turns it back."""


@pytest.mark.fault(44)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_every_orientation_comes_out_upright(kind: str, figure: Figure) -> None:
    wrong = 0
    for orientation in range(1, 9):
        stored = gradient().transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else gradient()
        exif = Image.Exif()
        exif[0x0112] = orientation
        redrawn = redraw(encoded(stored, kind, exif=exif, quality=95), PIXELS)
        wrong += redrawn.size != gradient().size or difference(redrawn, gradient()) > 12
    figure(44, "turned wrongly", wrong)


@pytest.mark.fault(44)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_nothing_but_pixels_is_left(kind: str, figure: Figure) -> None:
    data = pictures.full_of_metadata(kind)
    assert pictures.SECRET.encode() in data
    png = encode_png(redraw(data, PIXELS))
    figure(44, "metadata left", len(pictures.metadata_in(png)))
    assert b"iTXt" not in png
    with Image.open(io.BytesIO(png)) as image:
        assert not image.getexif()
        assert not image.info


def test_the_scan_finds_what_it_looks_for() -> None:
    assert {*pictures.metadata_in(pictures.full_of_metadata())} == {"Secret", "tEXt", "zTXt", "eXIf"}


@pytest.mark.fault(42)
def test_a_picture_of_several_frames_is_its_first_or_none(figure: Figure) -> None:
    first = redraw(pictures.frames("MPO"), PIXELS)
    assert first.getpixel((3, 3)) == (0, 0, 0)
    with Image.open(io.BytesIO(encode_png(first))) as stored:
        figure(42, "frames stored", getattr(stored, "n_frames", 1))
        assert stored.format == "PNG"
    taken = 0
    for kind in ("PNG", "WEBP", "GIF"):
        with pytest.raises(Refused) as refused:
            taken += bool(redraw(pictures.frames(kind), PIXELS))
        assert refused.value.code == "unsupported_image"
    figure(42, "animations taken", taken)


@pytest.mark.fault(45)
def test_only_three_parsers_are_ever_entered(monkeypatch: pytest.MonkeyPatch, figure: Figure) -> None:
    entered = set()
    opened = ImageFile.ImageFile.__init__

    def spy(self: ImageFile.ImageFile, *args: object, **options: object) -> None:
        entered.add(type(self).__name__)
        opened(self, *args, **options)  # type: ignore[arg-type]

    corpus = [make() for make in {**pictures.FOREIGN, **pictures.UNSUPPORTED, **pictures.TAKEN}.values()]
    monkeypatch.setattr(ImageFile.ImageFile, "__init__", spy)
    refused = 0
    for data in corpus:
        try:
            redraw(data, PIXELS)
        except Refused:
            refused += 1
    assert refused == len(corpus) - len(pictures.TAKEN)
    assert entered == {"PngImageFile", "JpegImageFile", "WebPImageFile"}
    figure(45, "parsers entered", len(entered))


def test_an_opening_is_white_where_the_picture_is_transparent() -> None:
    picture = gradient().convert("RGBA")
    picture.paste((9, 9, 9, 0), (0, 0, 20, 30))
    picture.putpixel((39, 29), (9, 9, 9, 100))
    opened = opening(encoded(picture), 10**6)
    assert opened.getpixel((5, 5)) == opened.getpixel((39, 29)) == (255, 255, 255)
    assert opened.getpixel((30, 5)) == (0, 0, 0)
    assert sorted(opened.getcolors() or ()) == [(1200 - 601, (0, 0, 0)), (601, (255, 255, 255))]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_what_is_nowhere_transparent_has_no_opening(mode: str) -> None:
    with pytest.raises(Refused, match="nowhere transparent"):
        opening(encoded(gradient().convert(mode)), 10**6)
