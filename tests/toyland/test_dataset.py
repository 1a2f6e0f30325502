"""Datasets: what is read back is what was drawn, by one process or by two."""

from pathlib import Path

import numpy as np

from toyland.dataset import build_dataset, instance_map, open_dataset
from toyland.world import World


def test_a_dataset_holds_the_samples(world: World, tmp_path: Path) -> None:
    build_dataset(world, 3, 6, tmp_path)
    dataset = open_dataset(tmp_path)
    assert len(dataset) == 6
    for index in range(6):
        sample = world.draw(3, index)
        assert np.array_equal(dataset.pictures[index], np.asarray(sample.picture))
        assert np.array_equal(dataset.instances[index], instance_map(sample))
        assert dataset.labels[index] == sample.label
        assert dataset.boxes[index] == sample.boxes


def test_two_processes_draw_the_same(world: World, tmp_path: Path) -> None:
    one, two = build_dataset(world, 3, 4, tmp_path / "one"), build_dataset(world, 3, 4, tmp_path / "two", 2)
    assert np.array_equal(one.pictures, two.pictures)
    assert one.labels == two.labels
