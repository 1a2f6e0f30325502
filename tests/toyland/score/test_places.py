"""Places in pictures nobody drew: the nearest empty scenes agree with the truth where it is known."""

import numpy as np
import pytest

from toyland.plausible import places_for
from toyland.score import places
from toyland.score.places import SceneLibrary, judge_boxes, to_box, with_things
from toyland.world import World
from workers.models.toyland.detector import Detection


@pytest.fixture(scope="module")
def library(world: World, tmp_path_factory: pytest.TempPathFactory) -> SceneLibrary:
    """A small one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "LIBRARY", 12)
        library = SceneLibrary(world, tmp_path_factory.mktemp("library"))
        assert library.thumbnails["beach"].shape == (12, 16, 16, 3)
    return library


@pytest.mark.parametrize(("scene", "name"), [("meadow", "sheep"), ("street", "bus"), ("room", "cup")])
def test_true_boxes_hold_and_boxes_in_the_sky_do_not(
    world: World, library: SceneLibrary, scene: str, name: str
) -> None:
    sample = world.draw(2, 0, scene=scene, count=1, subject=name, pairs="any")
    picture, box = np.asarray(sample.picture), sample.boxes[0]
    found = [Detection(name, 1.0, tuple(map(float, box)))]  # type: ignore[arg-type]
    verdict = library.judge(picture, scene, found, name, [box])
    assert verdict.holds
    height = box[3] - box[1]
    assert not library.judge(picture, scene, found, name, [(box[0], 0, box[2], height // 2)]).holds


def test_nothing_found_is_nowhere(world: World, library: SceneLibrary) -> None:
    picture = np.asarray(world.draw(2, 0, scene="beach", count=0).picture)
    verdict = library.judge(picture, "beach", [], "dog", [])
    assert not verdict.holds
    assert not verdict.supports


def test_the_nearest_scene_of_a_picture_in_the_library_is_itself(library: SceneLibrary) -> None:
    empty = library.world.draw(places.LIBRARY_SEED, 3, scene="lake", count=0)
    nearest = library.nearest(np.asarray(empty.picture), "lake", [])[0]
    assert np.array_equal(np.asarray(nearest.picture), np.asarray(empty.picture))


def test_a_hat_belongs_on_a_head_that_was_found(world: World) -> None:
    sample = world.draw(2, 0, scene="snowy field", count=1, subject="snowman", pairs="any")
    picture = np.asarray(sample.picture)
    found = [Detection("snowman", 0.9, tuple(map(float, sample.boxes[0])))]  # type: ignore[arg-type]
    bare = world.draw(2, 0, scene="snowy field", count=0)
    known, guessed = places_for(sample, "hat"), places_for(with_things(bare, found, picture), "hat")
    assert known is not None
    assert guessed is not None
    assert (known.region & guessed.region).sum() > 0.9 * (known.region | guessed.region).sum()
    assert not judge_boxes(places_for(bare, "hat"), [(0, 0, 20, 20)]).holds


def test_boxes_are_cut_at_the_border() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    assert to_box(Detection("cat", 1.0, (-4.2, 10.4, 250.0, 99.6)), picture) == (0, 10, 200, 100)
