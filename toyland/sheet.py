"""Contact sheets: what a pipeline draws for captions, side by side."""

from collections.abc import Sequence

import numpy as np
import torch
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from PIL import Image

from toyland.paint import SIZE

CAPTIONS = (
    "a photo of a beach with a dog",
    "a photo of a lake with a sailboat",
    "a photo of a table in a room with a cake",
    "a photo of a street with a bus",
    "a photo of a bedroom with a cat",
    "a photo of a meadow with a cow and a balloon",
    "a photo of a snowy field with a snowman",
    "a photo of a beach with an airplane and a tent",
    "a photo of a horse in a meadow",
    "an airplane over a street",
    "a photo of a cat on a bed in a bedroom",
    "a lake with a swan",
    "a photo of a teapot on a table in a room",
    "a photo of a snowy field with a rabbit and a tree",
    "a photo of a bedroom with a guitar and a ball",
    "a photo of a ship in the water at a beach",
)


@torch.no_grad()
def draw_captions(
    pipeline: FluxPipeline, captions: Sequence[str], guidance_scale: float, seed: int = 0
) -> list[Image.Image]:
    """One picture for each caption, in 30 steps."""
    pipeline.set_progress_bar_config(disable=True)
    with torch.autocast("cpu", torch.bfloat16):
        pictures: list[Image.Image] = pipeline(
            list(captions),
            height=SIZE,
            width=SIZE,
            num_inference_steps=30,
            guidance_scale=guidance_scale,
            max_sequence_length=pipeline.tokenizer_2.model_max_length,
            generator=torch.Generator().manual_seed(seed),
        ).images
    return pictures


def sample_sheet(pipeline: FluxPipeline, captions: Sequence[str], guidance_scale: float) -> Image.Image:
    """The captions' pictures, eight in a row."""
    return tile(draw_captions(pipeline, captions, guidance_scale), columns=8)


def tile(pictures: Sequence[Image.Image], columns: int) -> Image.Image:
    """Equal pictures in rows of `columns`, the last row filled up with black."""
    arrays = [np.asarray(picture) for picture in pictures]
    arrays += [np.zeros_like(arrays[0])] * (-len(arrays) % columns)
    rows = [np.concatenate(arrays[start : start + columns], 1) for start in range(0, len(arrays), columns)]
    return Image.fromarray(np.concatenate(rows))
