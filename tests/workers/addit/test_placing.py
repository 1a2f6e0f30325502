"""Boxes, points and masks as priors on the latent grid, and what a prior does to maps and masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from workers.addit.errors import RegionEmpty
from workers.addit.latents import LatentGrid
from workers.addit.masks import grow
from workers.addit.placing import INSIDE, Area, Placing, Prior, cell_weights, make_prior

GRID = LatentGrid(6, 8)
HEIGHT, WIDTH = 96, 128
LEFT, RIGHT = Area(box=(0, 0, 64, 96)), Area(box=(64, 0, 128, 96))


def weights(area: Area) -> Tensor:
    return cell_weights(area, HEIGHT, WIDTH, GRID)


def prior(region: Area | None = None, avoid: Area | None = None) -> Prior:
    return make_prior(Placing(region, avoid), HEIGHT, WIDTH, GRID)


@given(*[st.integers(-20, 150)] * 4)
@settings(deadline=None, max_examples=50)
def test_a_cell_weighs_what_the_box_covers_of_it(left: int, top: int, right: int, bottom: int) -> None:
    painted = np.zeros((HEIGHT, WIDTH), np.float32)
    painted[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 1
    area = Area(box=(left, top, right, bottom))
    if not painted.any():
        with pytest.raises(RegionEmpty):
            weights(area)
        return
    covered = torch.from_numpy(painted.reshape(6, 16, 8, 16).mean(axis=(1, 3)))
    torch.testing.assert_close(weights(area), covered / covered.max())
    torch.testing.assert_close(weights(Area(mask=painted)), covered / covered.max())


@pytest.mark.parametrize("size", [(3, 4), (96, 128), (50, 50)])
def test_a_mask_of_any_size_covers_the_whole_picture(size: tuple[int, int]) -> None:
    mask = np.zeros(size, np.float32)
    mask[:, : size[1] // 2] = 1
    torch.testing.assert_close(weights(Area(mask=mask)), weights(LEFT))


def test_a_point_has_a_disc_around_it_that_fades() -> None:
    area = Area(points=((24.0, 40.0), (104.0, 40.0)), spread=16.0)
    found = weights(area)
    assert float(found[2, 1]) == float(found[2, 6]) == 1
    assert torch.equal(found, found.flip(1))
    assert float(found[2, 2]) == pytest.approx(2.718281828**-0.5)
    assert float(found[5, 3]) < 0.1


@pytest.mark.parametrize("box", [(-50, 0, 0, 96), (128, 0, 200, 96), (10, 10, 10, 40), (40, 10, 10, 40)])
def test_a_box_without_a_pixel_of_the_picture_is_an_error(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(RegionEmpty, match="outside"):
        weights(Area(box=box))


def test_an_empty_mask_is_an_error() -> None:
    with pytest.raises(RegionEmpty, match="empty"):
        weights(Area(mask=np.zeros((10, 10), np.float32)))


def test_a_region_that_is_to_be_avoided_is_an_error() -> None:
    for everything in (LEFT, Area(box=(0, 0, 128, 96))):
        with pytest.raises(RegionEmpty, match="avoided"):
            prior(LEFT, everything)
    assert bool(prior(LEFT, RIGHT).inside.any())


def test_attention_is_moved_from_outside_a_region_to_its_inside() -> None:
    lift = prior(Area(box=(0, 0, 32, 96))).lift
    assert lift[:, :2].eq(0.75).all()
    assert lift[:, 2:].eq(-0.25).all()


def test_to_avoid_a_place_is_to_ask_for_the_others() -> None:
    torch.testing.assert_close(prior(avoid=LEFT).lift, prior(RIGHT).lift)


def test_the_whole_picture_is_no_place() -> None:
    assert not prior(Area(box=(-9, 0, 128, 96))).lift.any()


def test_bounds_are_a_cell_wider_than_a_region_that_was_drawn() -> None:
    found = prior(LEFT)
    assert torch.equal(found.bounds, grow(found.weights >= INSIDE, 1))
    assert found.bounds[:, :5].all()
    assert not found.bounds[:, 5:].any()


def test_points_bound_nothing() -> None:
    points = Area(points=((24.0, 40.0),), spread=16.0)
    assert prior(points).bounds.all()
    assert prior(avoid=points).bounds.all()


def test_nothing_is_kept_where_the_subject_must_not_be() -> None:
    found = prior(avoid=Area(box=(0, 0, 60, 96)))
    assert not found.bounds[:, :4].any()
    assert found.bounds[:, 4:].all()


def test_a_map_keeps_its_welcome_peak_and_is_normalised_again() -> None:
    attention = torch.zeros(6, 8)
    attention[1, 1], attention[4, 6] = 0.6, 1.0
    seen = prior(LEFT).weighed(attention)
    assert float(seen[1, 1]) == 1
    assert not seen[:, 4:].any()


def test_a_map_whose_peaks_are_all_elsewhere_says_so() -> None:
    attention = torch.full((6, 8), 0.1)
    attention[4, 6] = 1.0
    assert not prior(LEFT).weighed(attention).any()


@pytest.mark.parametrize("scale", [1, 3, 16])
def test_a_mask_is_held_by_where_most_of_it_is(scale: int) -> None:
    mask = torch.zeros(6 * scale, 8 * scale, dtype=torch.bool)
    mask[:, 2 * scale : 5 * scale] = True
    assert prior(LEFT).holds(mask)
    assert not prior(RIGHT).holds(mask)
    assert not prior(avoid=LEFT).holds(mask)


@pytest.mark.parametrize("scale", [1, 3, 16])
def test_a_mask_is_cut_at_the_bounds(scale: int) -> None:
    mask = torch.ones(6 * scale, 8 * scale, dtype=torch.bool)
    cut = prior(LEFT).cut(mask)
    assert cut[:, : 5 * scale].all()
    assert not cut[:, 5 * scale :].any()
