"""The world: a scene, up to three things where they belong, and what a picture of it is called.

Everything about a sample follows from its seed and index, so any sample of any set can be drawn alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from toyland.arranging import Arrangement, Pairs, hosts_for, is_allowed
from toyland.backdrop import Backdrop
from toyland.captions import caption
from toyland.drawing import draw_things, visible_masks
from toyland.fields import desert, meadow, snowy_field
from toyland.indoors import bedroom, living_room, room
from toyland.label import Label, Thing
from toyland.objects import OBJECTS, ObjectKind
from toyland.paint import Rng
from toyland.placement import Box, Mask, Pose
from toyland.posing import next_to, possible_zones
from toyland.shores import beach, lake
from toyland.sky import draw_fall
from toyland.streets import street
from toyland.zones import Zone

Painter = Callable[[Rng], Backdrop]

SCENES: Mapping[str, Painter] = {
    "beach": beach,
    "lake": lake,
    "meadow": meadow,
    "snowy field": snowy_field,
    "desert": desert,
    "street": street,
    "room": room,
    "bedroom": bedroom,
    "living room": living_room,
}
COUNT_SHARES = (0.14, 0.46, 0.28, 0.12)  # how often none, one, two and three things are tried

TRAIN_SEED = 1
HELD_OUT_SEED = 2
VALIDATION_SEED = 3


@dataclass(frozen=True)
class PlacedObject:
    """An object in a picture.

    words: its colour or "small" or "big" if a caption may tell it, else empty
    box: left, top, right, bottom of its whole sprite
    mask: (H, W), its visible pixels
    host: index of what wears or holds it, or of a thing it stands next to
    """

    name: str
    words: str
    zone: Zone
    box: Box
    mask: Mask
    host: int | None


@dataclass(frozen=True)
class Sample:
    """One picture of the world (RGB, H x W) with everything that is known about it.

    empty: the same scene in the same light with nothing in it
    sprites: folder of the objects' pictures
    weather: seed of what falls before everything
    """

    picture: Image.Image
    empty: Image.Image
    caption: str
    scene: str
    placed: tuple[PlacedObject, ...]
    backdrop: Backdrop
    poses: tuple[Pose, ...]
    sprites: Path
    weather: int

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of the things in the picture, in the order they were put there."""
        return tuple(thing.name for thing in self.placed)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Their boxes: left, top, right, bottom in pixels."""
        return tuple(thing.box for thing in self.placed)

    @property
    def masks(self) -> tuple[Mask, ...]:
        """Their visible pixels, each (H, W)."""
        return tuple(thing.mask for thing in self.placed)

    @cached_property
    def label(self) -> Label:
        """What captions are made of."""
        return label_of(self.backdrop, self.poses)


@dataclass(frozen=True)
class World:
    """Scenes and objects one can draw from. `sprites` is the folder of the objects' pictures."""

    sprites: Path
    scenes: Mapping[str, Painter]
    objects: tuple[ObjectKind, ...]

    def draw(
        self,
        seed: int,
        index: int,
        scene: str | None = None,
        count: int | None = None,
        subject: str | None = None,
        pairs: Pairs = "trained",
    ) -> Sample:
        """The sample number `index` of the set `seed`.

        scene, count: prescribe the scene and how many things are tried
        subject: is put there first, or right after the one that wears or holds it
        pairs: "trained" has no held-out (object, scene) pair; "held_out" has one as its first thing, the
            others are trained ones; "any" does not care
        """
        rng = np.random.default_rng((seed, index))
        name, kind = self._draw_first(rng, scene, subject, pairs)
        backdrop = self.scenes[name](rng)
        count = int(rng.choice(len(COUNT_SHARES), p=COUNT_SHARES)) if count is None else count
        others: Pairs = "trained" if pairs == "held_out" else pairs
        arrangement = Arrangement(backdrop, self.objects, self.sprites, others, rng)
        if kind:
            arrangement.begin_with(kind)
        while len(arrangement.poses) < count and arrangement.add_one():
            pass
        return self._finish(backdrop, arrangement.poses, rng)

    def _draw_first(
        self, rng: Rng, scene: str | None, subject: str | None, pairs: Pairs
    ) -> tuple[str, ObjectKind | None]:
        """The scene, and the first thing if it matters which it is."""
        open_pairs = [
            (kind, name)
            for name in ([scene] if scene else self.scenes)
            for kind in (self.objects if subject or pairs == "held_out" else ())
            if subject in (None, kind.name)
            and is_allowed(kind.name, name, pairs)
            and (possible_zones(kind, name, ()) or hosts_for(kind, name, self.objects))
        ]
        if subject is None and pairs != "held_out":
            return scene or list(self.scenes)[rng.integers(len(self.scenes))], None
        if not open_pairs:
            raise ValueError(f"no {pairs} pair of {subject or 'an object'} and {scene or 'a scene'}")
        kind, name = open_pairs[int(rng.integers(len(open_pairs)))]
        return name, kind

    def _finish(self, backdrop: Backdrop, poses: Sequence[Pose], rng: Rng) -> Sample:
        picture, empty = draw_things(backdrop, poses, self.sprites), backdrop.picture.copy()
        weather = int(rng.integers(2**31))
        for each in (picture, empty):
            draw_fall(each, backdrop.light, np.random.default_rng(weather))
        masks = visible_masks(poses, backdrop.light, self.sprites)
        placed = tuple(
            PlacedObject(pose.name, pose.words, pose.zone, pose.box, mask, next_to(poses, index))
            for index, (pose, (mask, _)) in enumerate(zip(poses, masks, strict=True))
        )
        text = caption(label_of(backdrop, poses), rng)
        return Sample(
            picture, empty, text, backdrop.scene, placed, backdrop, tuple(poses), self.sprites, weather
        )


def label_of(backdrop: Backdrop, poses: Sequence[Pose]) -> Label:
    """What is known of these things in words."""
    things = [Thing(pose.name, pose.zone, pose.words, next_to(poses, i)) for i, pose in enumerate(poses)]
    return Label(backdrop.scene, tuple(things), backdrop.light.condition)


def small_world(sprites: Path) -> World:
    """The shipped world: 256-pixel pictures, nine scenes, all objects."""
    return World(sprites, SCENES, OBJECTS)
