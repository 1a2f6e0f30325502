"""From the method's clean guesses to the previews that a request asks for."""

from __future__ import annotations

from PIL import Image
from torch import Tensor

from workers.addit.latents import LatentGrid
from workers.addit.models import Models
from workers.addit.pipeline import Edit
from workers.addit.previews import OnX0, preview_steps, small_pictures
from workers.runner import OnPreview, PreviewImage


def previewer(models: Models, edit: Edit, count: int, on_preview: OnPreview) -> OnX0 | None:
    """Hands `on_preview` so many previews of each variation; None for none, which then cost nothing."""
    if not count:
        return None
    config = edit.config
    wanted = preview_steps(config.structure_transfer_step, config.num_inference_steps, count)

    def on_x0(step: int, x0: Tensor, grid: LatentGrid) -> None:
        if step not in wanted or len(x0) != len(edit.seeds):  # of some rows alone nobody knows whose
            return
        for index, picture in enumerate(small_pictures(models, x0, grid)):
            image = Image.fromarray(picture)
            on_preview(PreviewImage(wanted[step], index, edit.seeds[index], step, image))

    return on_x0
