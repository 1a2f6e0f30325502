"""Areas of a request in pixels of what the model sees, of the whole picture and of a crop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from api_schemas.insertions import InsertionRequest
from workers.addit.latents import LatentGrid
from workers.addit.placing import POINT_SPREAD, Area, Placing, cell_weights
from workers.areas import crop_placing, to_placing

PICTURE, WORKING = (400, 200), (128, 64)
WINDOW = (32.0, 0.0, 96.0, 64.0)
"""Of the working size: a square in its middle."""


def asked(**areas: object) -> InsertionRequest:
    body = {"source": {"kind": "generated", "prompt": "a room"}, "prompt": "add a dog", **areas}
    return InsertionRequest.model_validate(body)


def placed(mask: Image.Image | None = None, **areas: object) -> Placing:
    masks = {} if mask is None else {"region": mask}
    placing = to_placing(asked(**areas), masks, PICTURE, WORKING)
    assert placing is not None
    return placing


def drawn(left: int, right: int) -> Image.Image:
    """A mask of 40 x 20 with some columns white."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, left:right] = 255
    return Image.fromarray(pixels)


def test_who_asks_for_no_place_gets_none() -> None:
    assert to_placing(asked(), {}, PICTURE, WORKING) is None


def test_boxes_and_points_come_to_the_working_size() -> None:
    placing = placed(region={"box": [100, 50, 200, 100]}, avoid={"points": [[200, 100]]})
    assert placing.region == Area(box=(32, 16, 64, 32))
    assert placing.avoid == Area(points=((64.0, 32.0),), spread=POINT_SPREAD * 64)


@pytest.mark.parametrize("size", [(40, 20), (400, 200), (31, 77)])
def test_a_mask_of_any_size_lies_over_the_whole(size: tuple[int, int]) -> None:
    mask = drawn(20, 40).resize(size, Image.Resampling.NEAREST)
    area = placed(mask, region={"mask": {"id": "img_1"}}).region
    assert area is not None
    weights = cell_weights(area, 64, 128, LatentGrid(4, 8))
    expected = cell_weights(Area(box=(64, 0, 128, 64)), 64, 128, LatentGrid(4, 8))
    torch.testing.assert_close(weights, expected, atol=0.26 if size[0] % 2 else 1e-6, rtol=0)


def test_a_crop_sees_the_same_place_at_its_own_size() -> None:
    placing = placed(region={"box": [100, 0, 200, 100]}, avoid={"points": [[200, 100]]})
    near = crop_placing(placing, WORKING, WINDOW, (256, 256))
    assert near is not None
    assert near.region == Area(box=(0, 0, 128, 128))
    assert near.avoid == Area(points=((128.0, 128.0),), spread=POINT_SPREAD * 64 * 4)


def test_a_crop_sees_its_part_of_a_mask() -> None:
    placing = placed(drawn(0, 20), region={"mask": {"id": "img_1"}})
    near = crop_placing(placing, WORKING, WINDOW, (256, 256))
    assert near is not None
    assert near.region is not None
    assert near.region.mask is not None
    assert near.region.mask.shape == (256, 256)
    assert (near.region.mask[:, :124] == 1).all()
    assert (near.region.mask[:, 132:] == 0).all()


@pytest.mark.parametrize("mask", [None, drawn(0, 5)])
def test_what_does_not_show_in_a_crop_says_nothing_about_it(mask: Image.Image | None) -> None:
    area = {"mask": {"id": "img_1"}} if mask else {"box": [0, 0, 50, 200]}
    assert crop_placing(placed(mask, region=area), WORKING, WINDOW, (256, 256)) is None
