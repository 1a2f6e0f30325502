"""Which pixels are the target's where the background is strict: the subject's, softly, and its shadow's."""

from __future__ import annotations

from PIL import Image, ImageChops

from workers.addit.cast_shadow import shadow_weights
from workers.addit.config import AdditConfig
from workers.addit.results import Insertion
from workers.compositing import grey, soft_mask


def own_pixels(done: Insertion, row: int, config: AdditConfig, size: tuple[int, int]) -> Image.Image:
    """Mode L of `size` (width, height): how far each pixel of variation `row` is the target's.

    0 is exactly the source's. The mask fades out over a quarter of a latent cell. The insertion has a blend.
    """
    assert done.cells is not None
    cells = done.cells[row].cpu()
    mask = soft_mask(cells.numpy(), size, feather=size[0] / cells.shape[1] / 4)
    if not config.keep_shadow:
        return mask
    shadow = shadow_weights(done.source, done.pictures[row], cells >= 1)
    return ImageChops.lighter(mask, grey(shadow.numpy()).resize(size, Image.Resampling.BILINEAR))
