"""Trained editors through diffusers' own pipelines, told what to do by the item's instruction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
from PIL import Image

from evaluation.errors import EvaluationError
from evaluation.methods.method import Edited, Workbench
from evaluation.suites.items import Item
from workers.addit.localizers import Picture
from workers.compositing import working_size

SINGLE_FILES = (".ckpt", ".safetensors")
MAX_ASPECT = 4.0


@dataclass(frozen=True)
class InstructedPipeline:
    """pipeline: diffusers' class; place: hub name, directory, or a single checkpoint file
    call: what it is called with beside instruction, picture and generator
    pixels: the area it was trained at, to which the picture is brought, its sides multiples of `multiple`
    passes: of its network a step, guidance included; sized: whether it is told height and width
    opening: what the class is opened with
    """

    pipeline: str
    place: str
    call: tuple[tuple[str, Any], ...]
    pixels: int
    multiple: int
    passes: int
    sized: bool
    opening: tuple[tuple[str, Any], ...] = ()

    def prepare(self, bench: Workbench) -> None:
        """See `Method`."""
        self._open(bench)

    def seeded(self, item: Item) -> bool:
        """See `Method`."""
        return True

    def edit(self, bench: Workbench, item: Item, source: Picture, seed: int) -> Edited:
        """See `Method`. The result comes back at the source's size."""
        height, width = source.shape[:2]
        size = working_size(width, height, self.multiple, self.pixels, self.pixels, MAX_ASPECT)
        shown = Image.fromarray(source).resize(size, Image.Resampling.LANCZOS)
        told = dict(self.call) | ({"width": size[0], "height": size[1]} if self.sized else {})
        drawn = self._open(bench)(
            prompt=item.instruction,
            image=shown,
            generator=torch.Generator().manual_seed(seed),
            output_type="pil",
            **told,
        ).images[0]
        picture = np.asarray(drawn.resize((width, height), Image.Resampling.LANCZOS))
        return Edited(picture, None, float(self.passes * told["num_inference_steps"]))

    def _open(self, bench: Workbench) -> Any:
        return bench.opened((self.pipeline, self.place), lambda: self._load(bench.device))

    def _load(self, device: torch.device) -> Any:
        whole = getattr(diffusers, self.pipeline)
        single = Path(self.place).suffix in SINGLE_FILES
        opening = whole.from_single_file if single else whole.from_pretrained
        dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
        named = {"torch_dtype": dtype} if single else {"dtype": dtype}
        try:
            pipe = opening(self.place, **named, **dict(self.opening))
        except (OSError, ValueError) as error:
            raise EvaluationError(f"{self.place} is not at hand as a {self.pipeline}: {error}") from error
        pipe.set_progress_bar_config(disable=True)
        return pipe.to(device)


def instruct_pix2pix(
    place: str = "timbrooks/instruct-pix2pix", guidance: float = 7.5, image_guidance: float = 1.5
) -> InstructedPipeline:
    """InstructPix2Pix (arXiv 2211.09800) and all of its architecture, by its authors' settings."""
    return InstructedPipeline(
        pipeline="StableDiffusionInstructPix2PixPipeline",
        place=place,
        call=(
            ("num_inference_steps", 100),
            ("guidance_scale", guidance),
            ("image_guidance_scale", image_guidance),
        ),
        pixels=512**2,
        multiple=64,
        passes=3,
        sized=False,
        opening=(("safety_checker", None), ("requires_safety_checker", False)),
    )


def kontext(guidance: float = 2.5) -> InstructedPipeline:
    """FLUX.1 Kontext [dev] (arXiv 2506.15742)."""
    return InstructedPipeline(
        pipeline="FluxKontextPipeline",
        place="black-forest-labs/FLUX.1-Kontext-dev",
        call=(("num_inference_steps", 28), ("guidance_scale", guidance)),
        pixels=1024**2,
        multiple=16,
        passes=1,
        sized=True,
    )


def qwen_image_edit(guidance: float = 4.0) -> InstructedPipeline:
    """Qwen-Image-Edit (arXiv 2508.02324)."""
    return InstructedPipeline(
        pipeline="QwenImageEditPipeline",
        place="Qwen/Qwen-Image-Edit",
        call=(("num_inference_steps", 50), ("true_cfg_scale", guidance), ("negative_prompt", " ")),
        pixels=1024**2,
        multiple=16,
        passes=2,
        sized=True,
    )
