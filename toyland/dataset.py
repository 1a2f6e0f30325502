"""Many samples as arrays on disk: pictures, which object each pixel belongs to, and what is in them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from toyland.paint import SIZE
from toyland.world import Sample, World
from toyland.zones import Zone


@dataclass(frozen=True)
class Label:
    """What is known of a sample in words: its scene and its (name, zone) things in order."""

    scene: str
    things: tuple[tuple[str, Zone], ...]

    @property
    def names(self) -> list[str]:
        """The things alone."""
        return [name for name, _ in self.things]


@dataclass(frozen=True)
class Dataset:
    """N samples of one seed.

    pictures: (N, H, W, 3) uint8, RGB
    instances: (N, H, W) uint8, 0 is the scene, k the k-th thing of the label
    """

    pictures: NDArray[np.uint8]
    instances: NDArray[np.uint8]
    labels: tuple[Label, ...]

    def __len__(self) -> int:
        return len(self.labels)


def build_dataset(world: World, seed: int, count: int, folder: Path) -> Dataset:
    """Draw samples 0..count of the seed into the folder, or open it when they are there."""
    if not (folder / "labels.jsonl").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _draw_all(world, seed, count, folder)
    return open_dataset(folder)


def open_dataset(folder: Path) -> Dataset:
    """The dataset in a folder, its arrays mapped from disk."""
    lines = (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    pictures = np.load(folder / "pictures.npy", mmap_mode="r")
    instances = np.load(folder / "instances.npy", mmap_mode="r")
    return Dataset(pictures, instances, tuple(map(_parse_label, lines)))


def instance_map(sample: Sample) -> NDArray[np.uint8]:
    """(H, W): which thing each pixel shows; a later thing lies on top of an earlier one."""
    instances = np.zeros((SIZE, SIZE), np.uint8)
    for number, mask in enumerate(sample.masks, start=1):
        instances[mask] = number
    return instances


def _draw_all(world: World, seed: int, count: int, folder: Path) -> None:
    shape = (count, SIZE, SIZE)
    pictures = np.lib.format.open_memmap(folder / "pictures.npy", "w+", np.uint8, (*shape, 3))
    instances = np.lib.format.open_memmap(folder / "instances.npy", "w+", np.uint8, shape)
    lines = []
    for index in track(range(count), "drawing"):
        sample = world.draw(seed, index)
        pictures[index], instances[index] = np.asarray(sample.picture), instance_map(sample)
        things = [[thing.name, thing.zone] for thing in sample.placed]
        lines.append(json.dumps({"scene": sample.scene, "things": things}))
    pictures.flush()
    instances.flush()
    # Written last: its presence says that the arrays are whole.
    (folder / "labels.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _parse_label(line: str) -> Label:
    fields = json.loads(line)
    return Label(fields["scene"], tuple((name, Zone(zone)) for name, zone in fields["things"]))
