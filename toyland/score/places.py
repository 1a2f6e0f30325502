"""Plausible places in pictures that a model made, whose layout nobody drew and nobody knows.

The picture itself is fitted: among many empty scenes of its kind those most like it are found, the things in
it left out of the comparison, and their known places vote. On pictures of the world, whose places are known,
`python -m toyland score --only components` measures how often the vote is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from toyland.belonging import standing_zones
from toyland.objects import find_object
from toyland.placement import Box, Pose
from toyland.plausible import Places, places_for
from toyland.world import Sample, World
from toyland.zones import Band
from workers.addit.localizers import Picture
from workers.models.toyland.detector import Detection

LIBRARY_SEED = 7  # a set of its own: neither trained on nor scored
LIBRARY = 150  # empty scenes of each kind
VOTERS = 5
CELLS = 16  # a side of what pictures are compared by

Thumbnails = NDArray[np.float32]


@dataclass(frozen=True)
class Verdict:
    """Whether any of some boxes is at a plausible place: by half its area, and by foot and size too."""

    holds: bool
    supports: bool


def judge_boxes(places: Places | None, boxes: Sequence[Box]) -> Verdict:
    """Both rules, each for the box that fits it best."""
    if places is None:
        return Verdict(False, False)
    return Verdict(any(map(places.holds, boxes)), any(map(places.supports, boxes)))


@dataclass(frozen=True)
class SceneLibrary:
    """Empty scenes of every kind; their thumbnails are drawn once and kept in the folder."""

    world: World
    folder: Path

    def judge(
        self, picture: Picture, scene: str, found: Sequence[Detection], name: str, boxes: Sequence[Box]
    ) -> Verdict:
        """Whether the most alike scenes would allow a thing of this name at one of the boxes.

        found: everything in the picture; things of another name are obstacles, or can carry this one
        """
        if not boxes:
            return Verdict(False, False)
        others = [thing for thing in found if thing.name != name]
        votes = [
            judge_boxes(places_for(with_things(empty, others, picture), name), boxes)
            for empty in self.nearest(picture, scene, found)
        ]
        most = VOTERS // 2
        return Verdict(sum(v.holds for v in votes) > most, sum(v.supports for v in votes) > most)

    def nearest(self, picture: Picture, scene: str, found: Sequence[Detection]) -> list[Sample]:
        """The empty scenes whose colours differ least from the picture's, cell by bare cell."""
        bare = _bare_cells(picture, found)
        difference = np.square(self.thumbnails[scene] - thumbnail(Image.fromarray(picture))).sum(-1)
        return [
            self._empty(scene, int(index)) for index in (difference * bare).sum((1, 2)).argsort()[:VOTERS]
        ]

    @cached_property
    def thumbnails(self) -> dict[str, Thumbnails]:
        """(LIBRARY, CELLS, CELLS, 3) of every kind of scene."""
        file = self.folder / f"empty_scenes_{LIBRARY}.npz"
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(file, allow_pickle=False, **self._draw_thumbnails())
        with np.load(file) as kept:
            return {scene: kept[scene].astype(np.float32) for scene in self.world.scenes}

    def _draw_thumbnails(self) -> dict[str, NDArray[np.float16]]:
        return {
            scene: np.stack([thumbnail(self._empty(scene, i).picture) for i in range(LIBRARY)]).astype(
                np.float16
            )
            for scene in self.world.scenes
        }

    def _empty(self, scene: str, index: int) -> Sample:
        return self.world.draw(LIBRARY_SEED, index, scene=scene, count=0)


def thumbnail(picture: Image.Image) -> Thumbnails:
    """(CELLS, CELLS, 3) mean colours."""
    return np.asarray(picture.resize((CELLS, CELLS), Image.Resampling.BOX), np.float32)


def boxes_of(found: Sequence[Detection], name: str, picture: Picture) -> list[Box]:
    """Of every thing of this name."""
    return [to_box(thing, picture) for thing in found if thing.name == name]


def to_box(thing: Detection, picture: Picture) -> Box:
    """A detection's box in whole pixels, cut at the picture's border."""
    height, width = picture.shape[:2]
    left, top, right, bottom = (round(side) for side in thing.box)
    left, top = min(max(0, left), width - 1), min(max(0, top), height - 1)
    return left, top, min(max(left + 1, right), width), min(max(top + 1, bottom), height)


def with_things(empty: Sample, things: Sequence[Detection], picture: Picture) -> Sample:
    """The empty scene with what was found in the picture: obstacles, and who could carry something."""
    poses = list[Pose]()
    for thing in things:
        box, zones = to_box(thing, picture), standing_zones(find_object(thing.name), empty.scene)
        if zones:  # what can only be worn or held is in nobody's way
            zone = min(zones, key=lambda zone: _distance(empty.backdrop.zones[zone], box[3]))
            poses.append(Pose(thing.name, zone, box, "", ""))
    return replace(empty, poses=tuple(poses))


def _distance(band: Band, foot: int) -> int:
    """Rows from a foot to the band."""
    return max(band.top - foot, foot - band.bottom, 0)


def _bare_cells(picture: Picture, found: Sequence[Detection]) -> NDArray[np.bool_]:
    """(CELLS, CELLS), false where anything was found."""
    bare = np.ones((CELLS, CELLS), bool)
    scale = np.array([CELLS / picture.shape[1], CELLS / picture.shape[0]] * 2)
    for thing in found:
        left, top, right, bottom = np.array(to_box(thing, picture)) * scale
        bare[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] = False
    return bare
