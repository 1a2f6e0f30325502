"""Toyland's twins: pictures and places agree with the world that drew them."""

from __future__ import annotations

from pathlib import Path

from evaluation.suites.folders import read_items
from evaluation.suites.items import RELATIONS
from evaluation.suites.toyland_twins import Twin, write_relations
from toyland.plausible import places_for
from toyland.score.tasks import insertion_tasks, source_sample
from toyland.world import HELD_OUT_SEED, VALIDATION_SEED, World


def test_places_are_the_worlds(world: World, tmp_path: Path) -> None:
    Twin(3, pictured=True).write(world, tmp_path)
    for item, task in zip(read_items(tmp_path), insertion_tasks(world, "trained", 3), strict=True):
        sample = source_sample(world, task.scene, task.index, task.count)
        picture, region = item.open_picture(), item.open_region()
        assert picture is not None
        assert region is not None
        places = places_for(sample, item.subject)
        assert places is not None
        assert (region == places.region).all()
        assert picture.shape == (*region.shape, 3)
        assert item.subject in item.prompt.split()


def test_generated_sources_have_prompts_alone(world: World, tmp_path: Path) -> None:
    Twin(2, pictured=False).write(world, tmp_path)
    assert all(item.image is None and item.region is None for item in read_items(tmp_path))


def test_another_seed_is_another_set(world: World, tmp_path: Path) -> None:
    for seed in (HELD_OUT_SEED, VALIDATION_SEED):
        Twin(2, pictured=False, seed=seed).write(world, tmp_path / str(seed))
    test, validation = (read_items(tmp_path / str(seed)) for seed in (HELD_OUT_SEED, VALIDATION_SEED))
    assert [item.prompt for item in test] != [item.prompt for item in validation]


def test_every_relation_has_its_items(world: World, tmp_path: Path) -> None:
    write_relations(world, tmp_path, 1)
    items = read_items(tmp_path)
    assert [item.relation for item in items] == list(RELATIONS)
    for item in items:
        assert item.prompt != item.source_prompt
        assert item.prompt.split().count(item.subject) == (2 if item.relation == "two of" else 1)
        assert (item.anchor is None) == (item.relation in ("two of", "on"))
