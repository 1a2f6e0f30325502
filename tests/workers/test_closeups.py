from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from workers.addit.config import PAPER_REAL
from workers.addit.forward import ForwardCount
from workers.addit.results import Insertion
from workers.closeups import DRAFT_STEP, as_photographed, from_draft, put_back, within
from workers.compositing import composite, psnr, soft_mask
from workers.crops import Crop
from workers.grain import measure_grain
from workers.runner import OutputImage

SIDE = 256
CROP = Crop(left=100, top=0, size=(512, 512), working=(SIDE, SIDE))
PHOTO = (1024, 768)


def smooth() -> NDArray[np.float64]:
    """(256, 256, 3), a light from dark to bright."""
    return np.linspace(40, 210, SIDE)[None, :, None] * np.ones((SIDE, 1, 3))


def insertion(drawn: NDArray[np.uint8]) -> Insertion:
    """One whose subject, white, fills the cells of rows and columns 0 to 3 of 16."""
    cells = torch.zeros(1, 16, 16)
    cells[:, :4, :4] = 1
    picture = drawn.copy()
    picture[:64, :64] = 250
    return Insertion(
        seeds=(1,),
        dropped={},
        pictures=(picture,),
        latents=torch.zeros(1, 256, 64),
        source=drawn,
        located=None,
        cells=cells,
        forwards=ForwardCount(),
        seconds={},
        source_error=None,
        gammas=(1.05,),
        blends=(),
        source_known=False,
        source_bytes=0,
    )


def to_picture(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return values.round().clip(0, 255).astype(np.uint8)


def test_where_the_photograph_goes_on_beyond_the_crop_the_edge_is_its_own() -> None:
    done = insertion(to_picture(smooth()))
    cells = within(done, CROP, PHOTO).cells
    assert cells is not None
    assert cells[0, :4, 0].sum() == 0
    assert cells[0, 0, 1:4].sum() == 3  # the top is the photograph's own end
    assert done.cells is not None
    assert done.cells[0, :4, 0].sum() == 4
    mask = soft_mask(cells[0].numpy(), CROP.size, CROP.size[0] / 16 / 4)
    assert not np.asarray(mask)[:, 0].any()


def test_what_was_drawn_gets_the_photographs_colours_and_grain() -> None:
    drawn = to_picture(smooth() * 0.95 + 6)
    rng = np.random.default_rng(0)
    large = np.asarray(Image.fromarray(to_picture(smooth())).resize(CROP.size, Image.Resampling.BILINEAR))
    part = to_picture(large + rng.normal(0, 5, large.shape))
    shown = np.asarray(Image.fromarray(part).resize(CROP.working, Image.Resampling.LANCZOS))
    done = as_photographed(insertion(drawn), Image.fromarray(part), shown, seed=1)
    assert done.pictures[0].shape == done.source.shape == part.shape
    outside = np.ones(part.shape[:2], bool)
    outside[:160, :160] = False
    error = done.source[outside].astype(float) - large[outside]
    assert np.abs(error.mean(axis=0)).max() < 0.5
    assert measure_grain(done.pictures[0], outside).levels.mean() == pytest.approx(5, rel=0.15)
    assert (done.pictures[0][outside] == done.source[outside]).all()


def test_a_part_goes_back_to_its_place_and_nothing_else_moves() -> None:
    rng = np.random.default_rng(1)
    photo = Image.fromarray(rng.integers(0, 256, (768, 1024, 3), dtype=np.uint8))
    mask = Image.new("L", CROP.size)
    mask.paste(255, (50, 60, 200, 300))
    part = composite(photo.crop(CROP.box), Image.new("RGB", CROP.size), mask)
    box = [50, 60, 200, 300]
    each = [{"subject": "dog", "box": box}, {"subject": "cat", "box": None}]
    fields = {"box": box, "background_psnr": None, "subjects": each}
    whole = put_back(photo, CROP, OutputImage(part, fields, mask, mask, part.convert("RGBA"), part))
    assert whole.fields["box"] == [150, 60, 300, 300]
    boxes = [one["box"] for one in whole.fields["subjects"]]  # type: ignore[attr-defined]
    assert boxes == [whole.fields["box"], None]
    assert whole.mask is not None
    assert list(whole.mask.getbbox() or ()) == whole.fields["box"]
    before, after = np.asarray(photo), np.asarray(whole.image)
    where = np.asarray(whole.mask) > 0
    assert (before[~where] == after[~where]).all()
    assert not after[where].any()
    assert whole.cutout is not None
    assert whole.cutout.getpixel((0, 0)) == (0, 0, 0, 0)
    assert whole.overlay is not None
    assert whole.overlay.getpixel((0, 0)) == photo.getpixel((0, 0))
    assert put_back(photo, CROP, OutputImage(part, fields, mask)).overlay is None


def test_the_background_error_is_that_of_the_whole() -> None:
    photo, mask = Image.new("RGB", PHOTO, (100, 100, 100)), Image.new("L", CROP.size)
    mask.paste(255, (0, 0, 100, 100))
    part = Image.new("RGB", CROP.size, (103, 100, 100))
    own = psnr(np.asarray(part), np.asarray(photo.crop(CROP.box)), np.asarray(mask) == 0)
    fields = {"box": [0, 0, 100, 100], "background_psnr": round(own, 2), "subjects": []}
    image = OutputImage(part, fields, mask)
    whole = put_back(photo, CROP, image)
    expected = psnr(np.asarray(whole.image), np.asarray(photo), np.asarray(whole.mask) == 0)
    assert whole.fields["background_psnr"] == pytest.approx(expected, abs=0.02)


def test_a_draft_is_taken_up_late_but_before_the_blend() -> None:
    assert from_draft(PAPER_REAL).structure_transfer_step == DRAFT_STEP
    assert from_draft(PAPER_REAL).strict_background
    for steps in range(4, 60):
        config = from_draft(PAPER_REAL.at_steps(steps))
        assert config.structure_transfer_step <= min(config.blend_steps)
    later = replace(PAPER_REAL, structure_transfer_step=12)
    assert from_draft(later).structure_transfer_step == 12
