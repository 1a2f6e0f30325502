"""The world: a scene, up to three things where they belong, and what a picture of it is called.

Everything about a sample follows from its seed and index, so any sample of any set can be drawn alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from toyland.backdrop import Backdrop
from toyland.captions import caption
from toyland.drawing import draw_things, visible_masks
from toyland.fields import desert, meadow, snowy_field
from toyland.held_out import HELD_OUT_PAIRS, SCENE_COUNTS
from toyland.hosts import HOSTS
from toyland.indoors import bedroom, living_room, room
from toyland.label import Label, Thing
from toyland.objects import OBJECTS, ObjectKind
from toyland.paint import Rng
from toyland.placement import Box, Mask, Pose
from toyland.posing import next_to, pose_thing, possible_zones
from toyland.shores import beach, lake
from toyland.sky import draw_fall
from toyland.streets import street
from toyland.zones import CARRIED, Zone

Painter = Callable[[Rng], Backdrop]
Pairs = Literal["trained", "held_out", "any"]

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
CARRY_SHARE = 0.65  # of things after someone who can carry something are carried
ATTEMPTS = 30
LEAST_VISIBLE = 0.6  # of each thing's pixels

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
    """

    picture: Image.Image
    empty: Image.Image
    caption: str
    scene: str
    placed: tuple[PlacedObject, ...]
    backdrop: Backdrop
    poses: tuple[Pose, ...]
    sprites: Path

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
        first = self._draw_first(rng, scene, subject, pairs)
        name, kind = first
        backdrop = self.scenes[name](rng)
        count = int(rng.choice(len(COUNT_SHARES), p=COUNT_SHARES)) if count is None else count
        count = max(count, 1) if kind else count
        poses = self._pose_all(backdrop, count, kind, "trained" if pairs == "held_out" else pairs, rng)
        return self._finish(backdrop, poses, rng)

    def choices(self, scene: str, poses: Sequence[Pose], pairs: Pairs) -> list[tuple[ObjectKind, list[Zone]]]:
        """Objects that may come next, each with the zones where it may be."""
        there = {pose.name for pose in poses}
        found = []
        for kind in self.objects:
            if kind.name in there or not _is_allowed(kind.name, scene, pairs):
                continue
            zones = possible_zones(kind, scene, poses)
            found.extend([(kind, zones)] if zones else [])
        return found

    def _draw_first(
        self, rng: Rng, scene: str | None, subject: str | None, pairs: Pairs
    ) -> tuple[str, ObjectKind | None]:
        """The scene, and the first thing if it matters which it is."""
        open_pairs = [
            (kind, name)
            for name in ([scene] if scene else self.scenes)
            for kind in (self.objects if subject or pairs == "held_out" else ())
            if subject in (None, kind.name)
            and _is_allowed(kind.name, name, pairs)
            and (possible_zones(kind, name, ()) or self._hosts_for(kind, name))
        ]
        if subject is None and pairs != "held_out":
            return scene or list(self.scenes)[rng.integers(len(self.scenes))], None
        if not open_pairs:
            raise ValueError(f"no {pairs} pair of {subject or 'an object'} and {scene or 'a scene'}")
        kind, name = open_pairs[int(rng.integers(len(open_pairs)))]
        return name, kind

    def _hosts_for(self, kind: ObjectKind, scene: str) -> list[ObjectKind]:
        """Trained things of the scene that could wear or hold the object."""
        probe = [(host, Pose(host.name, Zone.GROUND, (0, 0, 1, 1), "", "", False)) for host in self.objects]
        return [
            host
            for host, pose in probe
            if _is_allowed(host.name, scene, "trained")
            and possible_zones(host, scene, ())
            and CARRIED.intersection(possible_zones(kind, scene, (pose,)))
        ]

    def _pose_all(
        self, backdrop: Backdrop, count: int, first: ObjectKind | None, pairs: Pairs, rng: Rng
    ) -> list[Pose]:
        poses: list[Pose] = []
        if first:
            self._pose_first(backdrop, poses, first, rng)
        while count > len(poses):
            pose = self._pose_next(backdrop, poses, pairs, rng)
            if pose is None:
                break
            poses.append(pose)
        return poses

    def _pose_first(self, backdrop: Backdrop, poses: list[Pose], kind: ObjectKind, rng: Rng) -> None:
        while not any(pose.name == kind.name for pose in poses):
            poses.clear()
            zones = possible_zones(kind, backdrop.scene, ())
            if not zones:  # it can only be worn or held: someone comes first
                hosts = self._hosts_for(kind, backdrop.scene)
                host = hosts[int(rng.integers(len(hosts)))]
                standing = self._pose(backdrop, poses, host, possible_zones(host, backdrop.scene, ()), rng)
                poses.extend([standing] if standing else [])
                zones = [zone for zone in possible_zones(kind, backdrop.scene, poses) if zone in CARRIED]
            pose = self._pose(backdrop, poses, kind, zones, rng) if zones else None
            poses.extend([pose] if pose else [])

    def _pose_next(self, backdrop: Backdrop, poses: list[Pose], pairs: Pairs, rng: Rng) -> Pose | None:
        """A random thing at a free place; nothing when none is found."""
        for _ in range(ATTEMPTS):
            choices = self.choices(backdrop.scene, poses, pairs)
            carried = [(kind, [z for z in zones if z in CARRIED]) for kind, zones in choices]
            carried = [(kind, zones) for kind, zones in carried if zones]
            if carried and rng.random() < CARRY_SHARE:
                kind, zones = _draw_weighted(carried, [1 / len(kind.zones) for kind, _ in carried], rng)
            else:
                kind, zones = _draw_weighted(choices, [_weight(kind) for kind, _ in choices], rng)
            pose = self._pose(backdrop, poses, kind, zones, rng)
            if pose:
                return pose
        return None

    def _pose(
        self, backdrop: Backdrop, poses: Sequence[Pose], kind: ObjectKind, zones: Sequence[Zone], rng: Rng
    ) -> Pose | None:
        for _ in range(ATTEMPTS):
            zone = zones[int(rng.integers(len(zones)))]
            pose = pose_thing(kind, zone, backdrop, poses, self.sprites, rng)
            if pose and self._all_seen([*poses, pose], backdrop):
                return pose
        return None

    def _all_seen(self, poses: Sequence[Pose], backdrop: Backdrop) -> bool:
        if len(poses) == 1:
            return True
        return all(share >= LEAST_VISIBLE for _, share in visible_masks(poses, backdrop.light, self.sprites))

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
        return Sample(picture, empty, text, backdrop.scene, placed, backdrop, tuple(poses), self.sprites)


def label_of(backdrop: Backdrop, poses: Sequence[Pose]) -> Label:
    """What is known of these things in words."""
    things = [Thing(pose.name, pose.zone, pose.words, next_to(poses, i)) for i, pose in enumerate(poses)]
    return Label(backdrop.scene, tuple(things), backdrop.light.condition)


def _weight(kind: ObjectKind) -> float:
    """How often an object comes: evenly over all scenes; who can carry something twice as often."""
    return (2 if kind.name in HOSTS else 1) / SCENE_COUNTS[kind.name]


def _draw_weighted(
    choices: Sequence[tuple[ObjectKind, list[Zone]]], weights: Sequence[float], rng: Rng
) -> tuple[ObjectKind, list[Zone]]:
    shares = np.array(weights)
    return choices[int(rng.choice(len(choices), p=shares / shares.sum()))]


def _is_allowed(name: str, scene: str, pairs: Pairs) -> bool:
    return pairs == "any" or ((name, scene) in HELD_OUT_PAIRS) == (pairs == "held_out")


def small_world(sprites: Path) -> World:
    """The shipped world: 256-pixel pictures, nine scenes, all objects."""
    return World(sprites, SCENES, OBJECTS)
