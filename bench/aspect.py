"""`python -m bench.aspect`: pictures that are not square, 96 x 160 and 160 x 96 pixels (height x width).

Each twice: as the method takes it, at its own size; and as the service does, which works at the nearest area
that its profile serves and gives the result back at the upload's size. The surest of four seeds is shown.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from api_schemas.insertions import InsertionRequest
from bench.figures import Figures
from bench.report import Docs, JsonFile, pictured, report
from client.examples import Example, examples
from runtime.settings import Settings
from workers.addit.edits import Edit, PictureSource
from workers.addit.pipeline import insert
from workers.compositing import IDENTICAL, psnr
from workers.insertion import AdditRunner, load_runner
from workers.runner import RunOutput

SIZES = ((160, 96), (96, 160))
"""(width, height), as PIL has it."""
SEEDS = 4
ZOOM, GAP = 2, 8
SHEET = Path("docs/assets/aspect.png")


@dataclass(frozen=True)
class Tried:
    """One insertion.

    size, worked_at: (width, height) of the upload and of what the model worked on
    background_psnr: dB outside the mask against the upload
    """

    way: str
    size: tuple[int, int]
    worked_at: tuple[int, int]
    found: bool
    background_psnr: float
    seconds: float
    pictures: tuple[Image.Image, Image.Image, Image.Image]


def cropped(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The largest part of the picture with the sides' ratio of `size`, from its lower middle: the ground."""
    scale = min(picture.width / size[0], picture.height / size[1])
    width, height = (round(side * scale) for side in size)
    left, top = (picture.width - width) // 2, picture.height - height
    part = picture.crop((left, top, left + width, top + height))
    return part.resize(size, Image.Resampling.LANCZOS)


def asked(example: Example) -> InsertionRequest:
    """The example as a gateway would complete it."""
    source = {"kind": "image", "image": {"id": "img_bench"}, "prompt": example.source_prompt}
    seeds = [example.seed + more for more in range(SEEDS)]
    body = {"source": source, "prompt": example.prompt, "subject": example.subject, "preset": "paper-real"}
    return InsertionRequest.model_validate({**body, "seeds": seeds, "options": {"strict_background": True}})


def attempts(runner: AdditRunner, example: Example) -> Iterator[Tried]:
    """Both ways at both sizes."""
    photo = Image.open(example.path).convert("RGB")
    for size in SIZES:
        part = cropped(photo, size)
        yield at_its_own_size(runner, example, part)
        yield as_served(runner, example, part)


def at_its_own_size(runner: AdditRunner, example: Example, part: Image.Image) -> Tried:
    """The method by itself, judged as the service judges."""
    began, request = time.perf_counter(), asked(example)
    edit, _ = fitted(runner, request, part)
    done = insert(runner.models, edit)
    output = runner.to_output(request, part, edit, done, [None] * len(edit.seeds))
    return tried("insert()", part, part.size, output, time.perf_counter() - began)


def fitted(runner: AdditRunner, request: InsertionRequest, part: Image.Image) -> tuple[Edit, tuple[int, int]]:
    """The edit at the upload's own size, and the (width, height) that the service works at."""
    edit = runner.to_edit(request, part)
    assert isinstance(edit.source, PictureSource)
    height, width = edit.source.picture.shape[:2]
    return replace(edit, source=replace(edit.source, picture=np.asarray(part))), (width, height)


def as_served(runner: AdditRunner, example: Example, part: Image.Image) -> Tried:
    """A whole request."""
    began, request = time.perf_counter(), asked(example)
    output = runner.run(request, part, lambda *step: None)
    seconds = time.perf_counter() - began
    return tried("service", part, fitted(runner, request, part)[1], output, seconds)


def tried(
    way: str, part: Image.Image, worked_at: tuple[int, int], output: RunOutput, seconds: float
) -> Tried:
    """The surest variation."""
    image = max(output.images, key=lambda image: float(str(image.fields["confidence"])))
    mask = image.mask or Image.new("L", part.size)
    outside = psnr(np.asarray(image.image), np.asarray(part), np.asarray(mask) == 0)
    found = bool(image.fields["subject_found"])
    return Tried(way, part.size, worked_at, found, outside, seconds, (part, image.image, mask))


def tabulate(attempts: Sequence[Tried]) -> Figures:
    """A row for each."""
    rows, values = [], {}
    for one in attempts:
        size, worked_at = (f"{height} x {width}" for width, height in (one.size, one.worked_at))
        found = "yes" if one.found else "no"
        outside = "identical" if one.background_psnr >= IDENTICAL else f"{one.background_psnr:.1f}"
        cells = [found, outside, f"{one.seconds:.2f}"]
        rows.append([size, one.way, worked_at, *cells])
        values[f"{size}, {one.way}"] = {
            "worked_at": worked_at,
            "found": one.found,
            "background_psnr": one.background_psnr,
            "seconds": one.seconds,
        }
    columns = ["height x width", "by", "worked at", "subject found", "background, dB", "s, four seeds"]
    return Figures("Pictures that are not square, paper-real, strict background", columns, rows, values)


def sheet(attempts: Sequence[Tried]) -> Image.Image:
    """A row for each size: source, result, mask of both ways."""
    rows = [
        [enlarged(part) for one in attempts if one.size == size for part in one.pictures] for size in SIZES
    ]
    width = max(sum(part.width + GAP for part in row) for row in rows) - GAP
    height = sum(row[0].height + GAP for row in rows) - GAP
    drawn, top = Image.new("RGB", (width, height), "white"), 0
    for row in rows:
        left = 0
        for part in row:
            drawn.paste(part, (left, top))
            left += part.width + GAP
        top += row[0].height + GAP
    return drawn


def enlarged(picture: Image.Image) -> Image.Image:
    """For eyes."""
    return picture.convert("RGB").resize((ZOOM * picture.width, ZOOM * picture.height))


def main(
    number: Annotated[int, typer.Option("--example", help="Which of the shipped examples.")] = 0,
    picture: Annotated[Path, typer.Option(help="Where the pictures go.")] = SHEET,
    file: JsonFile = Path("bench-results/aspect.json"),
    docs: Docs = False,
) -> None:
    """Insert, show the figures, draw the pictures."""
    made = list(attempts(load_runner(Settings(device="cpu")), examples()[number]))
    sheet(made).save(picture)
    shown = partial(pictured, picture=f"assets/{picture.name}")
    report("aspect", tabulate(made), file, docs, shown)


if __name__ == "__main__":
    typer.run(main)
