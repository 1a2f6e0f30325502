"""Pictures to try the service on: held-out scenes, each with a sentence that adds something to it."""

import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from toyland.captions import insertion_prompts
from toyland.plausible import places_for
from toyland.world import HELD_OUT_SEED, Sample, World

SIZE = (256, 256)  # (width, height); another size is cut from the picture's lower part and enlarged


@dataclass(frozen=True)
class Example:
    """A held-out sample by its scene, index and number of things; `subject` is added with noise `seed`."""

    file: str
    scene: str
    index: int
    count: int
    subject: str
    seed: int
    size: tuple[int, int] = SIZE


EXAMPLES = (
    Example("meadow.png", "meadow", 1000, 0, "sheep", 1),
    Example("table.png", "room", 1003, 1, "apple", 1),
    Example("street.png", "street", 1000, 0, "car", 5),
    Example("beach_512x512.png", "beach", 1000, 0, "tent", 5, (512, 512)),
    Example("street_with_bus.png", "street", 1041, 1, "airplane", 1),
    Example("snowy_field.png", "snowy field", 1000, 0, "horse", 5),
    Example("bedroom.png", "bedroom", 1000, 0, "guitar", 2),
    Example("beach_384x256.png", "beach", 1003, 0, "dog", 0, (384, 256)),
)


def write_examples(world: World, folder: Path) -> None:
    """Draw every example into the folder and list them in its `examples.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for example in EXAMPLES:
        sample = world.draw(HELD_OUT_SEED, example.index, example.scene, example.count)
        fit(sample.picture, example.size).save(folder / example.file, optimize=True)
        entries.append(describe(example, sample))
    (folder / "examples.json").write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def describe(example: Example, sample: Sample) -> dict[str, str | int]:
    """The example's entry: what the picture shows, what it shall show, what is new in that, and a seed."""
    places = places_for(sample, example.subject)
    if places is None:
        raise ValueError(f"{example.file} has no place for {example.subject}")
    source, target = insertion_prompts(sample.label, example.subject, places.zones[0])
    return {
        "file": example.file,
        "source_prompt": source,
        "prompt": target,
        "subject": example.subject,
        "seed": example.seed,
    }


def fit(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The lowest part of the picture with the aspect of size (width, height), enlarged to it."""
    width, height = picture.size
    kept = round(width * size[1] / size[0])
    return picture.crop((0, height - kept, width, height)).resize(size, Image.Resampling.BICUBIC)
