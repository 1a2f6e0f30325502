from __future__ import annotations

import pytest
import torch

from workers.addit.masks import (
    blur,
    bounding_box,
    connected,
    fill_box,
    find_peaks,
    grow,
    heaviest_part,
    normalise,
    otsu_threshold,
    rough_mask,
    soften,
    to_latent_grid,
)


def blob(size: int, row: int, column: int, radius: float) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return torch.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * radius**2))


def test_blur_keeps_the_mass_of_an_inner_point() -> None:
    point = torch.zeros(1, 5, 5)
    point[0, 2, 2] = 1
    blurred = blur(point)
    assert blurred.sum() == pytest.approx(1)
    assert blurred[0, 2, 2] == pytest.approx(0.25)


def test_normalising_spans_0_to_1_and_leaves_a_flat_map_empty() -> None:
    maps = torch.stack([torch.arange(4.0).reshape(2, 2) + 5, torch.full((2, 2), 3.0)])
    normalised = normalise(maps)
    assert (float(normalised[0].min()), float(normalised[0].max())) == (0, 1)
    assert not normalised[1].any()


def test_otsu_splits_two_heaps_between_them() -> None:
    values = torch.cat([torch.linspace(0.0, 0.2, 50), torch.linspace(0.7, 1.0, 20)])
    assert 0.19 < otsu_threshold(values) < 0.7


def test_the_rough_mask_covers_the_blob_and_little_else() -> None:
    mask = rough_mask(normalise(blob(16, 5, 9, 2.0)[None])[0])
    assert mask[5, 9]
    assert not mask[14, 1]
    assert bounding_box(mask) is not None


def test_peaks_find_each_of_two_blobs_first_the_higher() -> None:
    attention = blob(32, 6, 6, 1.5) + 0.7 * blob(32, 24, 20, 1.5)
    peaks = find_peaks(attention, rough_mask(attention), most=2)
    assert peaks == [(6, 6), (24, 20)]


def test_peaks_stop_below_the_floor() -> None:
    attention = blob(32, 8, 8, 2.0) + 0.3 * blob(32, 24, 20, 2.0)
    peaks = find_peaks(attention, blob(32, 8, 8, 2.0) > 0.01)
    assert peaks[0] == (8, 8)
    assert all(row < 20 for row, _ in peaks)


def test_a_box_is_exclusive_to_the_right_and_bottom() -> None:
    mask = torch.zeros(4, 6, dtype=torch.bool)
    mask[1:3, 2:5] = True
    assert bounding_box(mask) == (2, 1, 5, 3)
    assert bounding_box(torch.zeros(2, 2, dtype=torch.bool)) is None


def test_every_touched_latent_cell_counts() -> None:
    mask = torch.zeros(64, 96, dtype=torch.bool)
    mask[20:28, 40:48] = True
    cells = to_latent_grid(mask, 16, 24)
    assert cells.shape == (16, 24)
    assert cells[5:7, 10:12].all()
    assert not cells[0].any()


def naive_soften(cells: torch.Tensor, softness: float) -> torch.Tensor:
    rows, columns = torch.meshgrid(*(torch.arange(n).float() for n in cells.shape), indexing="ij")
    places = torch.stack([rows, columns], -1).reshape(-1, 2)
    nearest = torch.cdist(places, places[cells.flatten()]).amin(1)
    return (1 - nearest / (softness + 1)).clamp_min(0).reshape(cells.shape)


@pytest.mark.parametrize("softness", [0.0, 0.5, 1.0, 2.5, 4.0])
def test_a_soft_edge_falls_with_the_distance_to_the_nearest_cell(softness: float) -> None:
    cells = torch.zeros(9, 14, dtype=torch.bool)
    cells[2:4, 3:6] = cells[7, 12] = True
    softened = soften(cells, softness)
    torch.testing.assert_close(softened, naive_soften(cells, softness))
    assert (softened[cells] == 1).all()


def test_no_softness_is_the_mask_itself() -> None:
    cells = torch.rand(6, 7) > 0.5
    assert torch.equal(soften(cells, 0), cells.float())


def test_an_empty_mask_stays_empty_when_softened_or_grown() -> None:
    nothing = torch.zeros(4, 5, dtype=torch.bool)
    assert not soften(nothing, 2).any()
    assert not grow(nothing, 2).any()


def test_growing_reaches_so_many_rows_and_columns() -> None:
    cells = torch.zeros(7, 9, dtype=torch.bool)
    cells[3, 4] = True
    assert bounding_box(grow(cells, 2)) == (2, 1, 7, 6)
    assert torch.equal(grow(cells, 0), cells)


def test_a_box_is_filled_where_it_touches_and_cut_at_the_border() -> None:
    assert bounding_box(fill_box((1.5, -3.0, 4.2, 2.0), 6, 8)) == (1, 0, 5, 2)
    assert not fill_box((-9.0, -9.0, -1.0, -1.0), 6, 8).any()


def test_only_what_can_be_reached_is_connected() -> None:
    mask = torch.tensor([[0, 1, 1, 0, 1], [0, 0, 0, 1, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)
    start = torch.zeros(3, 5, dtype=torch.bool)
    start[0, 0] = True
    assert connected(mask, start).nonzero().tolist() == [[0, 1], [0, 2], [0, 4], [1, 3]]


def test_the_heaviest_part_is_whole_and_alone() -> None:
    mask = torch.zeros(8, 12, dtype=torch.bool)
    mask[1:3, 1:3], mask[3, 3], mask[5:8, 8:11] = True, True, True  # the first two touch at a corner
    flat = torch.ones(8, 12)
    assert bounding_box(heaviest_part(mask, flat)) == (8, 5, 11, 8)
    peaked = flat.index_put((torch.tensor(1), torch.tensor(1)), torch.tensor(9.0))
    assert bounding_box(heaviest_part(mask, peaked)) == (1, 1, 4, 4)
    assert not heaviest_part(torch.zeros_like(mask), flat).any()
