"""Pictures between the model and the store: judged, then encoded. Knows no store, queue or model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

from PIL import Image, ImageStat

from api_schemas.insertions import GeneratedSource, InsertionRequest, Output
from runtime.digital_source import SourceType, packet, saving
from workers.runner import OutputImage, RunError, RunOutput

Format = Literal["png", "jpeg", "webp"]
MIN_DEVIATION = (
    1.0  # of 255: a black, white or single-colour picture is a model that broke down, not a result
)
OPTIONS: dict[Format, dict[str, int]] = {
    "png": {"compress_level": 4},  # a third of level 6's time for about 3% more bytes
    "jpeg": {"quality": 95, "subsampling": 0},
    "webp": {"quality": 95},
}
SUFFIX: dict[Format, str] = {"png": "png", "jpeg": "jpg", "webp": "webp"}


@dataclass(frozen=True)
class Picture:
    """One encoded picture.

    field: its link's field in a `ResultImage`, or `source_url`
    made: by what, None for what shows nothing the model made: an uploaded source, maps of numbers
    """

    name: str
    field: str
    index: int | None
    data: bytes
    format: Format
    made: SourceType | None = None


def made_by(request: InsertionRequest) -> SourceType:
    """What the results of a request are: the model's altogether, or somebody's picture with its additions."""
    if isinstance(request.source, GeneratedSource):
        return "trainedAlgorithmicMedia"
    return "compositeWithTrainedAlgorithmicMedia"


def pictures(output: RunOutput, wanted: Output, made: SourceType) -> Iterator[Picture]:
    """The wanted pictures of a run. Results are in the wanted format; maps and cut-outs are PNG, hence exact.

    Raises RunError(invalid_output) for a result that is one colour all over.
    """
    suffix, format = SUFFIX[wanted.format], wanted.format
    for index, image in enumerate(output.images):
        judge(image.image)
        yield Picture(f"{index}.{suffix}", "url", index, encode(image.image, format, made), format, made)
        yield from _maps(index, image, wanted, made)
    if output.source is not None and "source" in wanted.include:
        own = made if made == "trainedAlgorithmicMedia" else None
        yield Picture(f"source.{suffix}", "source_url", None, encode(output.source, format, own), format, own)


def _maps(index: int, image: OutputImage, wanted: Output, made: SourceType) -> Iterator[Picture]:
    maps = {
        "mask": (image.mask, None),
        "attention": (image.attention, None),
        "cutout": (image.cutout, made),
        "overlay": (image.overlay, made),
    }
    for name, (extra, own) in maps.items():
        if extra is not None and name in wanted.include:
            data = encode(extra, "png", own)
            yield Picture(f"{index}-{name}.png", f"{name}_url", index, data, "png", own)


def judge(image: Image.Image) -> None:
    """Raise RunError(invalid_output) for a near-constant picture."""
    if max(ImageStat.Stat(image).stddev) < MIN_DEVIATION:
        raise RunError("invalid_output", "The model produced an empty picture; another seed may work.")


def encode(image: Image.Image, format: Format, made: SourceType | None = None) -> bytes:
    """The picture's file, without metadata but for what it was made by."""
    buffer = BytesIO()
    told = saving(packet(made), format) if made else {}
    image.save(buffer, format=format, **OPTIONS[format], **told)
    return buffer.getvalue()


def decode(data: bytes) -> Image.Image:
    """A stored picture, RGB. It went through the intake, so it is trusted."""
    with Image.open(BytesIO(data)) as image:
        picture = image.convert("RGB")
    picture.info.clear()  # PIL would write a comment and a profile of it into what is made from it
    return picture
