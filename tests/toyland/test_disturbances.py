"""Disturbances change how a picture looks, not where things are in it; blobs stay behind things."""

import pytest
import torch

from toyland.disturbances import add_blobs, disturb, melt

SIDE = 64


@pytest.fixture
def generator() -> torch.Generator:
    """The same random numbers for every test."""
    return torch.Generator().manual_seed(0)


def test_a_disturbed_picture_is_still_that_picture(generator: torch.Generator) -> None:
    pictures = torch.full((16, 3, SIDE, SIDE), 0.2)
    pictures[..., SIDE // 2 :] = 0.8
    disturbed = disturb(pictures, generator)
    assert disturbed.shape == pictures.shape
    assert disturbed.min() >= 0
    assert disturbed.max() <= 1
    assert not torch.equal(disturbed, pictures)
    dark, bright = disturbed[..., : SIDE // 3], disturbed[..., -SIDE // 3 :]
    assert (bright.mean((1, 2, 3)) - dark.mean((1, 2, 3)) > 0.3).all()


def test_blobs_stay_behind_things(generator: torch.Generator) -> None:
    pictures, bare = torch.full((32, 3, SIDE, SIDE), 0.5), torch.ones(32, SIDE, SIDE, dtype=torch.bool)
    bare[:, 20:40, 20:40] = False
    painted = add_blobs(pictures, bare, generator)
    assert (painted[:, :, 20:40, 20:40] == 0.5).all()
    changed = (painted != 0.5).flatten(1).any(1).float().mean()
    assert 0.1 < changed < 0.6


def test_a_melted_thing_keeps_its_colours_and_loses_its_shape() -> None:
    masks = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    masks[0, 16:48, 16:48] = True
    stripes = (torch.arange(SIDE) % 8 < 4).float().expand(1, 3, SIDE, SIDE)
    melted = melt(torch.where(masks[:, None], stripes, 0.5), masks)
    inside = melted[0, :, 24:40, 24:40]
    assert inside.std() < 0.05
    assert inside.mean().item() == pytest.approx(0.5, abs=0.05)
    assert (melted[0, :, :4] == 0.5).all()
