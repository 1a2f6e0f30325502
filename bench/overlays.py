"""`python -m bench.overlays`: shipped examples before, after, and with what happened drawn over them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from api_schemas.insertions import InsertionRequest
from runtime.settings import Settings
from workers.insertion import AdditRunner, load_runner
from workers.overlays import contact_sheet

EXAMPLES = Path(__file__).parent.parent / "examples"


def draw(runner: AdditRunner, example: dict[str, object]) -> list[Image.Image]:
    """Source, result and overlay."""
    picture = Image.open(EXAMPLES / str(example["file"])).convert("RGB")
    source = {"kind": "image", "image": {"id": "img_example"}, "prompt": example["source_prompt"]}
    request = InsertionRequest.model_validate(
        {
            "source": source,
            "prompt": example["prompt"],
            "subject": example["subject"],
            "seeds": [example["seed"]],
            "options": {"strict_background": True},
            "output": {"include": ["overlay"]},
        }
    )
    (image,) = runner.run(request, picture, lambda stage, step, total, percent: None).images
    return [picture, image.image, image.overlay or image.image]


def main(
    examples: Annotated[int, typer.Option(help="How many of the shipped examples.")] = 4,
    file: Annotated[Path, typer.Option(help="Where the sheet goes.")] = Path("docs/assets/overlays.png"),
) -> None:
    """A row for each example."""
    runner = load_runner(Settings(device="cpu"))
    listed = json.loads((EXAMPLES / "examples.json").read_text())[-examples:]
    pictures = [picture for example in listed for picture in draw(runner, example)]
    contact_sheet(pictures, columns=3, side=256).save(file)


if __name__ == "__main__":
    typer.run(main)
