"""The world: reproducible, and true about what it shows."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from toyland.arranging import LEAST_VISIBLE
from toyland.belonging import SCENE_ZONES
from toyland.dataset import instance_map
from toyland.drawing import visible_masks
from toyland.hosts import can_carry
from toyland.light import Condition
from toyland.objects import OBJECTS, find_object
from toyland.paint import SIZE
from toyland.placement import Mask
from toyland.world import SCENES, Sample, World
from toyland.zones import CARRIED, HANGING, Zone


def test_the_world_is_as_large_as_promised() -> None:
    assert len(SCENES) >= 8
    assert len({kind.name for kind in OBJECTS}) == len(OBJECTS) >= 60
    assert all(len(kind.name.split()) == 1 for kind in OBJECTS)


def test_same_seed_and_index_same_sample(world: World) -> None:
    first, second = world.draw(5, 7), world.draw(5, 7)
    assert first.caption == second.caption
    assert np.array_equal(np.asarray(first.picture), np.asarray(second.picture))


def test_other_index_other_sample(world: World) -> None:
    assert not np.array_equal(np.asarray(world.draw(5, 7).picture), np.asarray(world.draw(5, 8).picture))


@pytest.mark.parametrize("scene", SCENES)
def test_scenes_have_the_zones_that_are_told_of_them(world: World, scene: str) -> None:
    assert set(world.draw(3, 0, scene=scene).backdrop.zones) == set(SCENE_ZONES[scene])


@pytest.mark.parametrize("scene", SCENES)
def test_boxes_enclose_masks_and_lie_in_the_picture(world: World, scene: str) -> None:
    for index in range(8):
        sample = world.draw(3, index, scene=scene, count=3)
        assert sample.scene == scene
        for thing in sample.placed:
            rows, columns = np.nonzero(thing.mask)
            left, top, right, bottom = thing.box
            assert 0 <= left <= columns.min() <= columns.max() < right <= SIZE
            assert 0 <= top <= rows.min() <= rows.max() < bottom <= SIZE


@pytest.mark.parametrize("scene", SCENES)
def test_things_stand_where_they_belong(world: World, scene: str) -> None:
    for index in range(8):
        sample = world.draw(4, index, scene=scene, count=3)
        for thing in sample.placed:
            assert thing.zone in find_object(thing.name).zones
            if thing.zone in CARRIED:
                assert thing.host is not None
                assert can_carry(sample.placed[thing.host].name, thing.zone)
                continue
            band = sample.backdrop.zones[thing.zone]
            assert band.left <= thing.box[0] < thing.box[2] <= band.right
            assert band.top <= thing.box[3] <= band.bottom
            assert thing.zone not in HANGING or thing.box[1] >= band.top


def test_things_look_smaller_farther_away(world: World) -> None:
    heights: dict[bool, list[int]] = {True: [], False: []}
    for index in range(60):
        thing = world.draw(8, index, scene="meadow", count=1, subject="cow", pairs="any").placed[0]
        if not thing.words:
            heights[thing.box[3] > 200].append(thing.box[3] - thing.box[1])
    assert np.mean(heights[True]) > 1.25 * np.mean(heights[False])


def test_nearer_things_hide_farther_ones_but_never_most_of_them(world: World) -> None:
    hidden = 0
    for index in range(50):
        sample = world.draw(10, index, scene="meadow", count=3)
        for thing, alone in zip(sample.placed, alone_masks(world, sample), strict=True):
            assert not (thing.mask & ~alone).any()
            assert thing.mask.sum() >= LEAST_VISIBLE * alone.sum()
            hidden += thing.mask.sum() < alone.sum()
        assert np.sum(sample.masks, axis=0).max(initial=0) <= 1
    assert hidden > 0


def alone_masks(world: World, sample: Sample) -> list[Mask]:
    """What each thing would show if it were alone."""
    light = sample.backdrop.light
    return [
        visible_masks([replace(pose, zone=Zone.GROUND, host=None)], light, world.sprites)[0][0]
        for pose in sample.poses
    ]


def test_an_empty_scene_shows_nothing(world: World) -> None:
    sample = world.draw(1, 0, count=0)
    assert not sample.placed
    assert not instance_map(sample).any()
    assert np.array_equal(np.asarray(sample.picture), np.asarray(sample.empty))


def test_the_empty_scene_is_the_same_scene(world: World) -> None:
    for index in range(12):
        sample = world.draw(1, index, count=1)
        differs = (np.asarray(sample.picture) != np.asarray(sample.empty)).any(-1)
        far = np.ones((SIZE, SIZE), bool)
        for left, top, right, bottom in sample.boxes:
            reach = right - left
            far[max(0, top - 2) : bottom + reach, max(0, left - reach) : right + reach] = False
        assert differs.any()
        assert not (differs & far).any()


def test_instances_follow_the_masks(world: World) -> None:
    sample = world.draw(1, 3, scene="meadow", count=3)
    instances = instance_map(sample)
    for number, mask in enumerate(sample.masks, start=1):
        assert np.array_equal(instances == number, mask)


def test_captions_name_the_things(world: World) -> None:
    for index in range(60):
        sample = world.draw(9, index)
        assert all(name in sample.caption.split() for name in sample.objects)


def test_a_subject_comes_first(world: World) -> None:
    for index in range(10):
        assert world.draw(2, index, subject="duck").objects[0] == "duck"


def test_a_subject_that_is_only_held_comes_after_its_holder(world: World) -> None:
    for index in range(5):
        umbrella = world.draw(2, index, subject="umbrella").placed[1]
        assert (umbrella.name, umbrella.zone, umbrella.host) == ("umbrella", Zone.HAND, 0)


def test_what_cannot_be_drawn_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="whale"):
        world.draw(1, 0, scene="bedroom", subject="whale")


@pytest.mark.parametrize("name", [kind.name for kind in OBJECTS])
def test_every_object_can_be_drawn(world: World, name: str) -> None:
    assert name in world.draw(12, 0, subject=name).objects


def test_plain_day_is_the_most_frequent_light_and_every_light_comes() -> None:
    rng = np.random.default_rng(0)
    lights = Counter(paint(rng).light.condition for paint in SCENES.values() for _ in range(12))
    assert set(lights) == set(Condition)
    assert lights.most_common(1)[0][0] is Condition.DAY
