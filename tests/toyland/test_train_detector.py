"""The detector's recipe: what is wanted, what a loss prefers, what is no thing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from toyland.detection_targets import NOBODY, Things, detection_loss, generalized_iou, thing_heat
from toyland.objects import OBJECTS
from toyland.train_detector import DetectorRecipe, choose_threshold, things_of
from toyland.world import World
from workers.models.toyland.detector import Detector, DetectorConfig

SIDE, CELLS = 64, 8
NAMES = ("dog", "cat")
BOX = (16, 8, 48, 40)  # its middle lies in the cell of row 3, column 4
THINGS = things_of(NAMES, [[("cat", BOX)], []])


def tiny_detector(names: tuple[str, ...] = NAMES) -> Detector:
    """Random weights, the same every time."""
    torch.manual_seed(0)
    return Detector(DetectorConfig(names, widths=(16, 16, 16)))


def square_pictures() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A white square on grey, and nothing; with their instances."""
    instances = np.zeros((2, SIDE, SIDE), np.uint8)
    instances[0, BOX[1] : BOX[3], BOX[0] : BOX[2]] = 1
    return np.where(instances[..., None] > 0, 255, 90).astype(np.uint8).repeat(3, -1), instances


def said(thing: Things) -> tuple[Tensor, Tensor]:
    """Heat (1, 2, 8, 8) and sides (1, 4, 8, 8) that are right for the one thing."""
    heat = torch.full((1, 2, CELLS, CELLS), -9.0)
    heat[0, int(thing.classes[0, 0]), 3, 4] = 9.0
    sides = torch.zeros(1, 4, CELLS, CELLS)
    for row in range(CELLS):
        for column in range(CELLS):
            left, top, right, bottom = (float(side) / 8 for side in thing.boxes[0, 0])
            x, y = column + 0.5, row + 0.5
            sides[0, :, row, column] = torch.tensor([x - left, y - top, right - x, bottom - y])
    return heat, sides


def test_things_of_pictures() -> None:
    assert THINGS.classes.tolist() == [[1], [NOBODY]]
    assert THINGS.boxes[0, 0].tolist() == list(BOX)


def test_mirrored_boxes() -> None:
    flipped = THINGS.flipped(torch.tensor([True, False]), SIDE)
    assert flipped.boxes[0, 0].tolist() == [16, 8, 48, 40]
    narrow = replace(THINGS, boxes=torch.tensor([[[0.0, 8, 10, 40]], [[0.0, 8, 10, 40]]]))
    assert narrow.flipped(torch.tensor([True, False]), SIDE).boxes[:, 0].tolist() == [
        [54, 8, 64, 40],
        [0, 8, 10, 40],
    ]


def test_heat_is_one_in_the_middle_s_cell_alone() -> None:
    heat = thing_heat(THINGS.boxes[:1], CELLS)[0, 0]
    assert (heat == 1).nonzero().tolist() == [[3, 4]]
    assert heat[3, 5] > heat[3, 6] > 0


def test_generalized_iou() -> None:
    box, others = torch.tensor([0.0, 0, 4, 4]), torch.tensor([[0.0, 0, 4, 4], [2, 0, 6, 4], [8, 0, 12, 4]])
    expected = torch.tensor([1, 1 / 3, -1 / 3])
    torch.testing.assert_close(generalized_iou(box.expand(3, 4), others), expected)


def test_right_answers_cost_little() -> None:
    cat = Things(THINGS.classes[:1], THINGS.boxes[:1])
    heat, sides = said(cat)
    right = detection_loss(heat, sides, cat)
    assert right < 0.01
    assert detection_loss(heat.flip(1), sides, cat) > right + 1
    assert detection_loss(heat, sides.flip(1), cat) > right + 0.1


def test_nothing_there_costs_only_heat() -> None:
    nothing = Things(THINGS.classes[1:], THINGS.boxes[1:])
    cold, sides = torch.full((1, 2, CELLS, CELLS), -9.0), torch.ones(1, 4, CELLS, CELLS)
    assert detection_loss(cold, sides, nothing) < 0.01
    assert detection_loss(-cold, sides, nothing) > 1


def test_a_few_steps_find_the_square() -> None:
    pictures, instances = square_pictures()
    detector = tiny_detector()
    recipe = DetectorRecipe(detector, pictures, instances, THINGS, batch=8)
    optimizer, generator = torch.optim.AdamW(detector.parameters(), 5e-3), torch.Generator().manual_seed(0)
    for _ in range(60):
        optimizer.zero_grad()
        recipe.loss(generator).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with_square, without = detector.eval().detect_batch(torch.from_numpy(pictures))
    assert [found.name for found in with_square] == ["cat"]
    assert with_square[0].box == pytest.approx(BOX, abs=6)
    assert without == []


def test_glimpses_are_seen_with_their_pictures_things() -> None:
    pictures, instances = square_pictures()
    recipe = DetectorRecipe(tiny_detector(), pictures, instances, THINGS, glimpses=255 - pictures, batch=5)
    shown, shown_instances, _ = recipe._draw(torch.Generator().manual_seed(0))
    assert shown.shape == (5, 3, SIDE, SIDE)
    assert shown_instances.shape == (5, SIDE, SIDE)
    bare = [float(picture[:, 0, 0].mean()) for picture in shown]
    assert bare == pytest.approx([90 / 255] * 3 + [165 / 255] * 2)


def test_a_threshold_silences_empty_scenes(world: World) -> None:
    detector = tiny_detector(tuple(kind.name for kind in OBJECTS))
    assert 0.1 <= choose_threshold(detector.eval(), world, count=2) <= 0.9
