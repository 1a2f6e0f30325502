"""From the method's clean guesses to the previews that a request asks for."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

from workers.addit.edits import Edit
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.previews import OnX0, preview_steps, watch
from workers.runner import OnPreview, PreviewImage


def previewer(models: Models, edit: Edit, count: int, on_preview: OnPreview) -> OnX0 | None:
    """Hands `on_preview` so many previews of each variation; None for none, which then cost nothing."""
    if not count:
        return None
    config = edit.config
    wanted = preview_steps(config.structure_transfer_step, config.num_inference_steps, count)

    def show(number: int, step: int, pictures: Mapping[int, Picture]) -> None:
        for row, picture in pictures.items():
            on_preview(PreviewImage(number, row, edit.seeds[row], step, Image.fromarray(picture)))

    return watch(models, wanted, show)
