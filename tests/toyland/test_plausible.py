"""Plausible places agree with where the world really puts things."""

from dataclasses import replace

import numpy as np
import pytest

from toyland.plausible import Places, places_for
from toyland.world import SCENES, Sample, World
from toyland.zones import Zone


def without_last(sample: Sample) -> Sample:
    """The sample before its last thing was put there."""
    return replace(sample, placed=sample.placed[:-1], poses=sample.poses[:-1])


@pytest.mark.parametrize("scene", SCENES)
def test_the_world_puts_things_at_plausible_places(world: World, scene: str) -> None:
    for index in range(12):
        sample = world.draw(14, index, scene=scene, count=1 + index % 3)
        name, box = sample.objects[-1], sample.boxes[-1]
        places = places_for(without_last(sample), name)
        assert places is not None
        left, top, right, bottom = box
        assert places.region[top:bottom, left:right].mean() > 0.95
        assert places.holds(box)
        assert places.supports(box)


def test_an_object_without_a_place_has_none(world: World) -> None:
    assert places_for(world.draw(16, 0, scene="bedroom", count=0), "whale") is None
    assert places_for(world.draw(16, 0, scene="meadow", count=0), "umbrella") is None


def test_a_head_is_a_place_for_a_hat(world: World) -> None:
    sample = world.draw(16, 1, scene="snowy field", count=1, subject="snowman")
    places = places_for(sample, "hat")
    assert places is not None
    assert places.zones == (Zone.HEAD,)
    left, top, right, bottom = sample.boxes[0]
    rows, columns = np.nonzero(places.region)
    assert left <= columns.mean() <= right
    assert rows.mean() < (top + bottom) / 2


def test_a_taken_head_is_none(world: World) -> None:
    sample = world.draw(16, 2, scene="snowy field", count=2, subject="snowman")
    for index in range(3, 60):
        if any(thing.zone is Zone.HEAD for thing in sample.placed):
            break
        sample = world.draw(16, index, scene="snowy field", count=2, subject="snowman")
    free = next(name for name in ("crown", "cap", "hat") if name not in sample.objects)
    assert places_for(sample, free) is None


def test_taken_places_are_not_plausible(world: World) -> None:
    sample = world.draw(17, 0, scene="lake", count=1, subject="airplane", pairs="any")
    places = places_for(sample, "helicopter")
    assert places is not None
    assert not places.holds(sample.boxes[0])


def test_wrong_supports_and_sizes_are_told(world: World) -> None:
    sample = world.draw(18, 0, scene="meadow", count=0)
    places = places_for(sample, "cow")
    assert places is not None
    assert places.supports((100, 150, 190, 225))
    assert not places.supports((100, 60, 190, 120))  # it floats
    assert not places.supports((100, 210, 120, 225))  # too small to be so near
    assert not places.holds((100, 0, 190, 60))


def test_half_a_box_is_enough() -> None:
    region = np.zeros((256, 256), bool)
    region[:, :128] = True
    places = Places(region, ())
    assert places.holds((118, 0, 138, 20))
    assert not places.holds((119, 0, 139, 20))
