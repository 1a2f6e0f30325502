"""The pairs that training never sees: how many, how spread, and that the world keeps to them."""

from collections import Counter

from toyland.belonging import possible_pairs
from toyland.held_out import HELD_OUT_PAIRS
from toyland.world import SCENES, World


def test_fifteen_percent_of_all_pairs() -> None:
    pairs = possible_pairs()
    assert set(pairs) > HELD_OUT_PAIRS
    assert abs(len(HELD_OUT_PAIRS) / len(pairs) - 0.15) < 0.005


def test_every_object_and_scene_keeps_at_least_half() -> None:
    for side in (0, 1):
        all_of, lost = (Counter(pair[side] for pair in pairs) for pairs in (possible_pairs(), HELD_OUT_PAIRS))
        assert all(2 * lost[each] <= all_of[each] for each in all_of)


def test_every_scene_has_some() -> None:
    assert {scene for _, scene in HELD_OUT_PAIRS} == set(SCENES)


def test_training_never_draws_them(world: World) -> None:
    for index in range(120):
        sample = world.draw(1, index)
        assert not {(name, sample.scene) for name in sample.objects} & HELD_OUT_PAIRS


def test_they_can_all_be_drawn(world: World) -> None:
    for index, (name, scene) in enumerate(sorted(HELD_OUT_PAIRS)):
        sample = world.draw(2, index, scene=scene, subject=name, pairs="held_out")
        assert name in sample.objects


def test_held_out_samples_have_one_each(world: World) -> None:
    for index in range(20):
        sample = world.draw(2, index, pairs="held_out", count=3)
        assert sum((name, sample.scene) in HELD_OUT_PAIRS for name in sample.objects) == 1
