"""Scenes with one thing whose pixels are known, and the two kinds of maps compared scene by scene."""

import numpy as np
import pytest

from toyland.score.localization import draw_scene, summary
from toyland.world import World


@pytest.mark.parametrize("number", range(5))
def test_a_scene_shows_its_subject_alone(world: World, number: int) -> None:
    drawn = draw_scene(world, number)
    assert drawn.subject == world.objects[number].name
    assert drawn.sample.objects == (drawn.subject,)
    assert drawn.truth.any()
    assert drawn.subject in drawn.prompt.split()
    assert drawn.subject not in drawn.source_prompt.split()


def test_a_scene_is_the_same_however_many_are_asked_for(world: World) -> None:
    first, again = draw_scene(world, 3), draw_scene(world, 3)
    assert np.array_equal(np.asarray(first.sample.picture), np.asarray(again.sample.picture))


def test_columns_are_compared_with_the_reference_scene_by_scene() -> None:
    agreements = [
        {"attention columns": 0.5, "attention reference": 0.4, "grounding_sam": 0.0},
        {"attention columns": 0.6, "attention reference": 0.6, "grounding_sam": 0.9},
        {"attention columns": 0.0, "attention reference": 0.2, "grounding_sam": 0.9},
    ]
    values = summary(agreements)
    assert values["attention columns"]["iou"][0] == pytest.approx(0.3667)  # type: ignore[index]
    assert values["attention columns"]["gain"][0] == pytest.approx(-0.0333)  # type: ignore[index]
    assert values["attention columns"]["wins"] == [1, 1]
    assert values["attention columns"]["missed"] == 1
    assert "gain" not in values["grounding_sam"]
    assert "gain" not in values["attention reference"]
