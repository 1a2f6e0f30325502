"""Many samples as arrays on disk: pictures, which object each pixel belongs to, and what is in them."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from toyland.label import Label, Thing
from toyland.light import Condition
from toyland.paint import SIZE
from toyland.placement import Box
from toyland.pool import bound_pool
from toyland.world import Sample, World
from toyland.zones import Zone

CHUNK = 200  # samples a process draws at a time


@dataclass(frozen=True)
class Dataset:
    """N samples of one seed.

    pictures: (N, H, W, 3) uint8, RGB
    instances: (N, H, W) uint8, 0 is the scene, k the k-th thing of the label
    boxes: for each sample, for each thing: left, top, right, bottom of the whole thing
    """

    pictures: NDArray[np.uint8]
    instances: NDArray[np.uint8]
    labels: tuple[Label, ...]
    boxes: tuple[tuple[Box, ...], ...]

    def __len__(self) -> int:
        return len(self.labels)


def build_dataset(world: World, seed: int, count: int, folder: Path, processes: int = 1) -> Dataset:
    """Draw samples 0..count of the seed into the folder, or open it when they are there."""
    if not (folder / "labels.jsonl").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _draw_all(world, seed, count, folder, processes)
    return open_dataset(folder)


def open_dataset(folder: Path) -> Dataset:
    """The dataset in a folder, its arrays mapped from disk."""
    entries = [
        json.loads(line) for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    return Dataset(
        np.load(folder / "pictures.npy", mmap_mode="r"),
        np.load(folder / "instances.npy", mmap_mode="r"),
        tuple(map(_parse_label, entries)),
        tuple(tuple(tuple(thing["box"]) for thing in entry["things"]) for entry in entries),
    )


def instance_map(sample: Sample) -> NDArray[np.uint8]:
    """(H, W): which thing each pixel shows; 0 is the scene."""
    instances = np.zeros((SIZE, SIZE), np.uint8)
    for number, mask in enumerate(sample.masks, start=1):
        instances[mask] = number
    return instances


def _draw_all(world: World, seed: int, count: int, folder: Path, processes: int) -> None:
    shape = (count, SIZE, SIZE)
    for name, full in (("pictures", (*shape, 3)), ("instances", shape)):
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, full)
    draw = partial(_draw_chunk, world, seed, count, folder)
    starts = range(0, count, CHUNK)
    if processes == 1:
        lines = [draw(start) for start in track(starts, "drawing")]
    else:
        with bound_pool(processes) as pool:
            lines = list(track(pool.map(draw, starts), "drawing", total=len(starts)))
    # Written last: its presence says that the arrays are whole.
    (folder / "labels.jsonl").write_text("".join(lines), encoding="utf-8")


def _draw_chunk(world: World, seed: int, count: int, folder: Path, start: int) -> str:
    """Draw CHUNK samples into the arrays; returns their lines of labels.jsonl."""
    pictures = np.load(folder / "pictures.npy", mmap_mode="r+")
    instances = np.load(folder / "instances.npy", mmap_mode="r+")
    lines = []
    for index in range(start, min(count, start + CHUNK)):
        sample = world.draw(seed, index)
        pictures[index], instances[index] = np.asarray(sample.picture), instance_map(sample)
        lines.append(json.dumps(_describe(sample)) + "\n")
    pictures.flush()
    instances.flush()
    return "".join(lines)


def _describe(sample: Sample) -> dict[str, object]:
    things = [
        {"name": thing.name, "zone": thing.zone, "words": thing.words, "host": thing.host, "box": thing.box}
        for thing in sample.placed
    ]
    return {"scene": sample.scene, "condition": sample.label.condition, "things": things}


def _parse_label(entry: dict[str, object]) -> Label:
    things = entry["things"]
    assert isinstance(things, list)
    return Label(
        str(entry["scene"]),
        tuple(Thing(each["name"], Zone(each["zone"]), each["words"], each["host"]) for each in things),
        Condition(str(entry["condition"])),
    )
