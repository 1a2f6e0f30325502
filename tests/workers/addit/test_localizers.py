from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from workers.addit.boxes import Detection
from workers.addit.errors import UnsupportedOption
from workers.addit.instances import Instances
from workers.addit.latents import LatentGrid
from workers.addit.localizers import (
    LOCALIZERS,
    Located,
    Picture,
    Search,
    Segmentation,
    Segmenter,
    SegmenterPrompt,
    find_instances,
    given_to_each,
    locate,
    supported,
)
from workers.addit.masks import fill_box
from workers.addit.placing import Area, Placing, make_prior

MAP = torch.zeros(8, 12)
MAP[2:5, 6:9] = 1.0
PICTURE: Picture = np.zeros((64, 96, 3), dtype=np.uint8)
EVERYWHERE = torch.ones(64, 96, dtype=torch.bool)
LEFT, RIGHT = Detection((4.0, 8.0, 36.0, 48.0), 0.9), Detection((50.0, 8.0, 90.0, 48.0), 0.6)


def boxes(picture: Picture, prompt: SegmenterPrompt) -> Segmentation:
    """Segments exactly the box, or 5 x 5 pixels at every point."""
    given = [prompt.box] if prompt.box else [(x - 2, y - 2, x + 3, y + 3) for x, y in prompt.points]
    masks = [fill_box(box, *picture.shape[:2]) for box in given]
    return Segmentation(torch.stack(masks).any(dim=0), 0.9)


def finds(*detections: Detection) -> Search:
    def detector(picture: Picture, text: str) -> Sequence[Detection]:
        assert text == "dog"
        return detections

    return Search("dog", boxes, detector)


def reads(probabilities: torch.Tensor, segmenter: Segmenter | None = boxes) -> Search:
    return Search("dog", segmenter, text_segmenter=lambda picture, text: probabilities)


def find(localizer: str, search: Search, attention: torch.Tensor = MAP) -> Located:
    ((located,),) = locate(localizer, attention[None, None], lambda row: PICTURE, [search])
    return located


def seen_by(localizer: str, mask: torch.Tensor) -> SegmenterPrompt:
    prompts: list[SegmenterPrompt] = []

    def segmenter(picture: Picture, prompt: SegmenterPrompt) -> Segmentation:
        prompts.append(prompt)
        return Segmentation(mask, 0.9)

    located = find(localizer, Search("dog", segmenter))
    assert torch.equal(located.mask, mask)
    assert located.prompt is prompts[0]
    return prompts[0]


def test_points_are_pixels_x_first() -> None:
    x, y = seen_by("attention_points_sam", EVERYWHERE).points[0]
    assert 6 * 8 <= x <= 9 * 8
    assert 2 * 8 <= y <= 5 * 8


def test_a_box_is_left_top_right_bottom_in_pixels() -> None:
    left, top, right, bottom = seen_by("attention_box_sam", EVERYWHERE).box or (0,) * 4
    assert left < right <= 96
    assert top < bottom <= 64
    assert (left + right) / 2 == pytest.approx(7.5 * 8)


def test_a_mask_has_the_pictures_size() -> None:
    mask = seen_by("attention_mask_sam", EVERYWHERE).mask
    assert mask is not None
    assert mask.shape == (64, 96)


def test_of_several_copies_one_is_kept() -> None:
    located = find("attention_instance_sam", Search("dog", boxes), two_blobs())
    assert located.prompt is not None
    assert located.prompt.points
    left, top, right, bottom = located.prompt.box or (0,) * 4
    assert right <= 6 * 8, "the second one is not in it"
    assert all(left <= x <= right and top <= y <= bottom for x, y in located.prompt.points)
    cells = located.cells(LatentGrid(8, 12))
    assert cells[2:6, 1:4].all()
    assert not cells[:, 7:].any()


@pytest.mark.parametrize(("width", "whole"), [(8, True), (16, False)])
def test_a_mask_of_little_of_an_instance_is_completed(width: int, whole: bool) -> None:
    def segmenter(picture: Picture, prompt: SegmenterPrompt) -> Segmentation:
        left, top, _, bottom = prompt.box or (0,) * 4
        return Segmentation(fill_box((left, top, left + width, bottom), 64, 96), 0.9)

    located = find("attention_instance_sam", Search("dog", segmenter))
    assert bool(located.cells(LatentGrid(8, 12))[located.rough].all()) is whole


def test_an_instance_that_the_segmenter_does_not_see_is_missing() -> None:
    empty = torch.zeros(64, 96, dtype=torch.bool)
    located = find("attention_instance_sam", Search("dog", lambda p, q: Segmentation(empty, 0.1)))
    assert located.missing
    assert not located.mask.any()


def test_a_flat_map_is_a_missing_subject_and_an_empty_mask() -> None:
    located = find("attention", Search(), torch.full((8, 12), 0.3))
    assert located.missing
    assert not located.cells(LatentGrid(8, 12)).any()


def test_an_empty_segmentation_is_a_missing_subject() -> None:
    empty = torch.zeros(64, 96, dtype=torch.bool)
    located = find("attention_box_sam", Search("dog", lambda p, q: Segmentation(empty, 0.1)))
    assert located.missing
    assert not located.cells(LatentGrid(8, 12)).any()


def test_the_detectors_surest_box_is_segmented_whatever_the_attention() -> None:
    located = find("grounding_sam", finds(LEFT, RIGHT), torch.zeros(8, 12))
    assert located.prompt == SegmenterPrompt(box=LEFT.box)
    assert torch.equal(located.mask, fill_box(LEFT.box, 64, 96))
    assert located.rough[1:6, 1:4].all()
    assert located.missing is None


def test_where_the_detector_sees_none_the_subject_is_missing() -> None:
    located = find("grounding_sam", finds())
    assert "dog" in (located.missing or "")
    assert not located.mask.any()


def test_the_text_segmenters_map_is_split_by_otsu_at_its_own_size() -> None:
    probabilities = torch.full((16, 16), 0.02)
    probabilities[3:9, 4:8] = 0.4
    located = find("clipseg", reads(probabilities, segmenter=None), torch.zeros(8, 12))
    assert torch.equal(located.mask, probabilities > 0.2)
    assert located.score is None


def test_its_peaks_are_points_for_the_segmenter() -> None:
    probabilities = torch.full((16, 16), 0.02)
    probabilities[4, 12] = 0.9
    located = find("clipseg_sam", reads(probabilities))
    assert located.prompt == SegmenterPrompt(points=((12.5 * 6, 4.5 * 4),))
    assert located.score == 0.9


@pytest.mark.parametrize("localizer", ["clipseg", "clipseg_sam"])
def test_what_is_likely_nowhere_is_missing(localizer: str) -> None:
    located = find(localizer, reads(torch.rand(16, 16) * 0.05))
    assert located.missing
    assert not located.mask.any()


def already(*detections: Detection) -> Instances:
    return find_instances(PICTURE, finds(*detections))


def test_instances_are_boxes_with_the_segmenters_masks_or_filled() -> None:
    assert already(LEFT).boxes == (LEFT.box,)
    assert torch.equal(already(LEFT).masks[0], fill_box(LEFT.box, 64, 96))
    search = Search("dog", None, lambda picture, text: [RIGHT])
    assert torch.equal(find_instances(PICTURE, search).masks[0], fill_box(RIGHT.box, 64, 96))
    assert find_instances(PICTURE, Search("dog", boxes)) == Instances()


def test_another_dog_is_the_detection_that_the_source_has_not() -> None:
    search = finds(LEFT, RIGHT)
    located = find("grounding_sam", Search("dog", boxes, search.detector, already=already(LEFT)))
    assert located.prompt == SegmenterPrompt(box=RIGHT.box)


@pytest.mark.parametrize("localizer", ["attention", "attention_points_sam", "clipseg", "clipseg_sam"])
def test_another_dog_is_where_the_map_is_high_beside_the_first_one(localizer: str) -> None:
    seen = torch.full((8, 12), 0.01)
    seen[2:6, 1:4], seen[2:6, 7:10] = 1.0, 0.7
    search = Search("dog", boxes, text_segmenter=lambda picture, text: seen, already=already(LEFT))
    located = find(localizer, search, seen)
    cells = located.cells(LatentGrid(8, 12))
    assert cells[2:6, 7:10].any()
    assert not cells[:, :6].any()


@pytest.mark.parametrize("localizer", ["attention", "attention_points_sam", "grounding_sam"])
def test_the_first_dog_alone_is_no_other(localizer: str) -> None:
    seen = torch.full((8, 12), 0.01)
    seen[2:6, 1:4] = 1.0
    search = Search("dog", boxes, finds(LEFT).detector, already=already(LEFT))
    located = find(localizer, search, seen)
    assert "already" in (located.missing or "")
    assert not located.mask.any()


def test_a_segmentation_of_the_first_dog_is_no_other() -> None:
    def stubborn(picture: Picture, prompt: SegmenterPrompt) -> Segmentation:
        return Segmentation(fill_box(LEFT.box, 64, 96), 0.8)

    located = find("attention_points_sam", Search("dog", stubborn, already=already(LEFT)))
    assert "already" in (located.missing or "")


def test_weights_are_the_cells_with_a_soft_edge() -> None:
    located, grid = find("attention", Search()), LatentGrid(8, 12)
    assert torch.equal(located.weights(grid, 0), located.cells(grid).float())
    softened = located.weights(grid, 2)
    assert (softened[located.cells(grid)] == 1).all()
    assert ((softened > 0) & (softened < 1)).any()


def test_each_row_is_looked_at_in_its_own_picture_and_once_for_all_subjects() -> None:
    asked: list[int] = []

    def picture_of(row: int) -> Picture:
        asked.append(row)
        return PICTURE

    maps, search = torch.stack([MAP, MAP.roll(-3, 1)]), reads(torch.rand(16, 16))
    others = [search, replace(search, subject="cat"), replace(search, subject="ball")]
    located = locate("clipseg_sam", maps[:, None].expand(-1, 3, -1, -1), picture_of, others)
    assert [len(row) for row in located] == [3, 3]
    assert asked == [0, 1]


def two_blobs() -> torch.Tensor:
    seen = torch.full((8, 12), 0.01)
    seen[2:6, 1:4], seen[2:6, 7:10] = 1.0, 0.9
    return seen


def test_every_subject_is_found_by_its_own_map() -> None:
    maps = torch.stack([MAP, MAP.roll(-5, 1)])[None]
    ((dog, cat),) = locate("attention", maps, lambda row: PICTURE, [Search("dog"), Search("cat")])
    assert torch.equal(dog.mask, find("attention", Search("dog")).mask)
    assert torch.equal(cat.mask, find("attention", Search("cat"), MAP.roll(-5, 1)).mask)
    assert not (dog.mask & cat.mask).any()


@pytest.mark.parametrize(
    "localizer",
    ["attention", "attention_points_sam", "attention_box_sam", "attention_instance_sam", "clipseg"],
)
def test_two_dogs_are_two_things(localizer: str) -> None:
    search = Search("dog", boxes, text_segmenter=lambda picture, text: two_blobs())
    equals = [search, replace(search, subject="another dog")]
    ((one, other),) = locate(
        localizer, two_blobs()[None, None].expand(-1, 2, -1, -1), lambda r: PICTURE, equals
    )
    cells = [located.cells(LatentGrid(8, 12)) for located in (one, other)]
    assert cells[0][2:6, 1:4].any()
    assert not cells[0][:, 6:].any()
    assert cells[1][2:6, 7:10].any()
    assert not (cells[0] & cells[1]).any()


def test_two_dogs_are_two_detections() -> None:
    equals = [finds(LEFT, RIGHT)] * 2
    ((one, other),) = locate(
        "grounding_sam", MAP[None, None].expand(-1, 2, -1, -1), lambda r: PICTURE, equals
    )
    assert [one.prompt, other.prompt] == [SegmenterPrompt(box=LEFT.box), SegmenterPrompt(box=RIGHT.box)]


def test_of_two_dogs_one_may_be_missing() -> None:
    maps = MAP[None, None].expand(-1, 2, -1, -1)
    ((one, other),) = locate("attention_points_sam", maps, lambda row: PICTURE, [Search("dog", boxes)] * 2)
    assert one.missing is None
    assert "already" in (other.missing or "")


def test_a_given_mask_is_that_of_every_subject() -> None:
    ((one, other),) = given_to_each(EVERYWHERE, torch.zeros(1, 1, 8, 12), 2)
    assert torch.equal(one.mask, EVERYWHERE)
    assert torch.equal(other.mask, EVERYWHERE)
    maps = torch.stack([MAP, MAP.roll(-5, 1)])[None]
    ((one, other),) = given_to_each(EVERYWHERE, maps, 2)
    assert int(one.attention.argmax()) != int(other.attention.argmax())


@pytest.mark.parametrize("localizer", [name for name, helpers in LOCALIZERS.items() if helpers])
def test_a_localizer_without_its_helper_is_refused_and_the_others_named(localizer: str) -> None:
    with pytest.raises(UnsupportedOption, match=f"{localizer}.*it has attention"):
        find(localizer, Search("dog"))


def test_help_decides_which_localizers_there_are() -> None:
    assert supported(Search()) == ("attention",)
    assert set(supported(finds())) == set(LOCALIZERS) - {"clipseg", "clipseg_sam"}
    assert "clipseg" in supported(reads(MAP, segmenter=None))
    assert "clipseg_sam" not in supported(reads(MAP, segmenter=None))


GRID = LatentGrid(8, 12)


def placed(search: Search, region: Area | None = None, avoid: Area | None = None) -> Search:
    """The search with a place asked for."""
    return replace(search, prior=make_prior(Placing(region, avoid), 64, 96, GRID))


ON_THE_LEFT, ON_THE_RIGHT = Area(box=(0, 0, 48, 64)), Area(box=(48, 0, 96, 64))
BOTH = MAP + 0.8 * MAP.flip(1)
"""The stronger peak on the right."""


@pytest.mark.parametrize("localizer", ["attention", "attention_points_sam", "attention_box_sam"])
def test_a_region_decides_between_two_peaks(localizer: str) -> None:
    search = Search("dog", boxes)
    anywhere = find(localizer, search, BOTH).cells(GRID)
    assert anywhere[:, 6:].any()
    for there, away in ((ON_THE_LEFT, ON_THE_RIGHT), (ON_THE_RIGHT, ON_THE_LEFT)):
        for told in (placed(search, region=there), placed(search, avoid=away)):
            located = find(localizer, told, BOTH)
            cells = located.cells(GRID)
            inside = cells[:, :7] if there is ON_THE_LEFT else cells[:, 5:]
            assert located.missing is None
            assert cells.any()
            assert int(cells.sum()) == int(inside.sum())


@pytest.mark.parametrize("localizer", ["attention", "attention_points_sam"])
def test_a_subject_that_is_all_outside_its_region_is_missing(localizer: str) -> None:
    located = find(localizer, placed(Search("dog", boxes), region=ON_THE_LEFT), MAP)
    assert located.missing == "no dog was found in the region that was asked for"
    assert not located.mask.any()


def test_a_mask_that_is_mostly_outside_is_not_taken() -> None:
    outside = fill_box((40, 0, 96, 64), 64, 96)

    def segmenter(picture: Picture, prompt: SegmenterPrompt) -> Segmentation:
        return Segmentation(outside, 0.9)

    located = find("attention_points_sam", placed(Search("dog", segmenter), region=ON_THE_LEFT), BOTH)
    assert located.missing == "no dog was found in the region that was asked for"
    assert not located.cells(GRID).any()


def test_a_mask_is_cut_a_cell_outside_its_region_soft_edge_and_all() -> None:
    mostly = fill_box((0, 0, 80, 64), 64, 96)

    def segmenter(picture: Picture, prompt: SegmenterPrompt) -> Segmentation:
        return Segmentation(mostly, 0.9)

    located = find("attention_points_sam", placed(Search("dog", segmenter), region=ON_THE_LEFT), BOTH)
    assert located.mask.any(dim=0).tolist() == [x < 7 * 8 for x in range(96)]
    assert located.weights(GRID, 3.0).any(dim=0).tolist() == [x < 7 for x in range(12)]


def test_boxes_outside_the_region_are_dropped() -> None:
    search = finds(LEFT, RIGHT)
    there = find("grounding_sam", placed(search, region=ON_THE_RIGHT))
    assert there.prompt is not None
    assert there.prompt.box == RIGHT.box
    nowhere = find("grounding_sam", placed(finds(LEFT), avoid=ON_THE_LEFT))
    assert nowhere.missing == "no dog was found in the region that was asked for"


def test_the_text_segmenters_map_is_weighed_too() -> None:
    probabilities = torch.zeros(32, 48)
    probabilities[10:20, 5:15], probabilities[10:20, 30:40] = 0.6, 0.9
    cells = find("clipseg", placed(reads(probabilities), region=ON_THE_LEFT)).cells(GRID)
    assert cells[:, :6].any()
    assert not cells[:, 6:].any()
