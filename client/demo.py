"""`make demo`: a whole stack, one insertion into an example over HTTP, pictures saved, stack stopped."""

from __future__ import annotations

import signal
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from api_schemas.insertions import ImageRef, ImageSource, InsertionRequest, Output
from api_schemas.jobs import InsertionJob
from client.client import Addit
from client.examples import Example, examples
from client.operator import running
from client.report import progress_bar, result_of, summary, timings_table
from client.terminal import console
from runtime.settings import Settings

FOLDER = Path("demo")
GAP = 8  # pixels between the pictures of the side-by-side
SHOWN = 384  # pixels, about the height of the side-by-side


def main() -> int:
    """0 if the subject was found in the result, 1 if not."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is stopped
    example = examples()[0]
    console.print("Starting; the model takes a while to load.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="addit-demo-") as folder:
        with (
            running(Path(folder), Settings(port=0), workers=1) as (stack, key),
            Addit(stack.url, key) as addit,
        ):
            console.print(f"{example.path.name}: {example.prompt}", markup=False)
            with progress_bar(console) as show:
                job = addit.insert(request(addit, example), show)
            save(addit, job, example)
    console.print(timings_table(job), *summary(job), sep="\n", markup=False)
    return 0 if all(image.subject_found for image in result_of(job).images) else 1


def request(addit: Addit, example: Example) -> InsertionRequest:
    """The example's insertion, its picture uploaded."""
    image = addit.upload(example.path.read_bytes(), example.path.name)
    return InsertionRequest(
        source=ImageSource(image=ImageRef(id=image.id), prompt=example.source_prompt),
        prompt=example.prompt,
        subject=example.subject,
        seeds=[example.seed],
        output=Output(include=["mask"]),
    )


def save(addit: Addit, job: InsertionJob, example: Example) -> None:
    """Source, result, mask and all of them side by side; prints where."""
    (result,) = result_of(job).images
    assert result.mask_url is not None
    links = {"result": result.url, "mask": result.mask_url}
    pictures = {"source": Image.open(example.path).convert("RGB")}
    pictures |= {
        name: Image.open(BytesIO(addit.download(link))).convert("RGB") for name, link in links.items()
    }
    pictures["side_by_side"] = side_by_side(list(pictures.values()))
    for name, picture in pictures.items():
        picture.save(FOLDER / f"{name}.png")
        console.print(str(FOLDER / f"{name}.png"))


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """From left to right, on white; small pictures enlarged by a whole number, to be seen."""
    times = max(1, SHOWN // max(picture.height for picture in pictures))
    pictures = [
        picture.resize((times * picture.width, times * picture.height), Image.Resampling.NEAREST)
        for picture in pictures
    ]
    width = sum(picture.width + GAP for picture in pictures) - GAP
    sheet = Image.new("RGB", (width, max(picture.height for picture in pictures)), "white")
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + GAP
    return sheet


if __name__ == "__main__":
    raise SystemExit(main())
