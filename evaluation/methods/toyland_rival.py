"""The supervised rival of Toyland: a small InstructPix2Pix on a rectified flow, trained by
`python -m toyland train rival` (see `toyland.train_rival`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import FluxPipeline

from evaluation.errors import EvaluationError
from evaluation.methods.method import Edited, Workbench
from evaluation.suites.items import Item
from toyland.latents import decode, encode, pack, to_pictures, to_tensor, unpack
from toyland.rival import Rival, instruction
from toyland.texts import tokenize
from workers.addit.config import PUBLISHED_STEPS
from workers.addit.latents import PATCH, LatentGrid, draw_noise
from workers.addit.localizers import Picture
from workers.addit.schedule import make_sigmas


@dataclass(frozen=True)
class ToylandRival:
    """folder: the trained pipeline; weights: a digest of it, since another training gives other pictures
    guidance, image_guidance: of text and picture, as InstructPix2Pix has them (its section 3.2.1)
    """

    folder: str
    weights: str = ""
    guidance: float = 4.0
    image_guidance: float = 1.5
    steps: int = PUBLISHED_STEPS

    def prepare(self, bench: Workbench) -> None:
        """See `Method`."""
        self._open(bench)

    def seeded(self, item: Item) -> bool:
        """See `Method`."""
        return True

    @torch.inference_mode()
    def edit(self, bench: Workbench, item: Item, source: Picture, seed: int) -> Edited:
        """See `Method`."""
        pipe: Any = self._open(bench)
        height, width = source.shape[:2]
        grid = LatentGrid.of_image(height, width, pipe.vae_scale_factor)
        shown = pack(encode(pipe.vae, to_tensor(torch.from_numpy(source.copy())[None])))
        latents = draw_noise((seed,), shown.shape[-1] // PATCH**2, grid, element=1)
        rival = Rival(pipe.transformer, pipe.text_encoder, pipe.text_encoder_2)
        tokens = tokenize(pipe, [instruction(item.subject), ""])
        sigmas = make_sigmas(pipe.scheduler, self.steps, grid.tokens)
        for sigma, lower in zip(sigmas, sigmas[1:], strict=False):
            velocity = rival.guided(latents, sigma, shown, tokens, self.guidance, self.image_guidance)
            latents = latents + (lower - sigma) * velocity
        picture = to_pictures(decode(pipe.vae, unpack(latents, grid.height)))[0].numpy()
        return Edited(picture, None, 3.0 * self.steps)

    def _open(self, bench: Workbench) -> Any:
        return bench.opened(("toyland-rival", self.folder), self._load)

    def _load(self) -> Any:
        if not (Path(self.folder) / "model_index.json").is_file():
            raise EvaluationError(f"{self.folder} is no pipeline: `python -m toyland train rival` makes one")
        pipe = FluxPipeline.from_pretrained(self.folder, dtype=torch.float32)
        pipe.set_progress_bar_config(disable=True)
        return pipe
