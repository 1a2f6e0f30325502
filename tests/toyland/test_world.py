"""The world: reproducible, and true about what it shows."""

import numpy as np
import pytest

from toyland.dataset import instance_map
from toyland.objects import OBJECTS
from toyland.world import SCENES, World


def test_same_seed_and_index_same_sample(world: World) -> None:
    first, second = world.draw(5, 7), world.draw(5, 7)
    assert first.caption == second.caption
    assert np.array_equal(np.asarray(first.picture), np.asarray(second.picture))


def test_other_index_other_sample(world: World) -> None:
    assert not np.array_equal(np.asarray(world.draw(5, 7).picture), np.asarray(world.draw(5, 8).picture))


@pytest.mark.parametrize("scene", SCENES)
def test_boxes_enclose_masks(world: World, scene: str) -> None:
    for index in range(6):
        sample = world.draw(3, index, scene=scene, count=3)
        assert sample.scene == scene
        for thing in sample.placed:
            rows, columns = np.nonzero(thing.mask)
            left, top, right, bottom = thing.box
            assert left <= columns.min() <= columns.max() < right
            assert top <= rows.min() <= rows.max() < bottom


@pytest.mark.parametrize("scene", SCENES)
def test_things_stand_where_they_belong(world: World, scene: str) -> None:
    zones = {kind.name: kind.zones for kind in OBJECTS}
    for index in range(6):
        sample = world.draw(4, index, scene=scene, count=2)
        for thing in sample.placed:
            band = sample.zones[thing.zone]
            assert thing.zone in zones[thing.name]
            assert band.left <= thing.box[0] < thing.box[2] <= band.right


def test_an_empty_scene_shows_nothing(world: World) -> None:
    sample = world.draw(1, 0, count=0)
    assert not sample.placed
    assert not instance_map(sample).any()


def test_instances_follow_the_masks(world: World) -> None:
    sample = world.draw(1, 3, scene="meadow", count=2)
    instances = instance_map(sample)
    for number, mask in enumerate(sample.masks, start=1):
        assert np.array_equal(instances == number, mask)  # boxes never touch, so nothing is hidden


def test_captions_name_the_things(world: World) -> None:
    for index in range(40):
        sample = world.draw(9, index)
        assert all(name in sample.caption.split() for name in sample.objects)
