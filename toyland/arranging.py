"""Filling a scene: which things come, one after another, and that all of them can be seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from toyland.backdrop import Backdrop
from toyland.belonging import SCENE_COUNTS
from toyland.drawing import visible_masks
from toyland.held_out import HELD_OUT_PAIRS
from toyland.hosts import HOSTS
from toyland.objects import ObjectKind
from toyland.paint import Rng
from toyland.placement import Pose
from toyland.posing import pose_thing, possible_zones
from toyland.zones import CARRIED, Zone

Pairs = Literal["trained", "held_out", "any"]
Choice = tuple[ObjectKind, list[Zone]]  # an object with the zones where it may be

CARRY_SHARE = 0.65  # of things after someone who can carry something are carried
ATTEMPTS = 30
LEAST_VISIBLE = 0.6  # of each thing's pixels


@dataclass
class Arrangement:
    """Things in a scene, more and more of them.

    objects: that there are
    pairs: which (object, scene) may come by chance
    """

    backdrop: Backdrop
    objects: tuple[ObjectKind, ...]
    sprites: Path
    pairs: Pairs
    rng: Rng
    poses: list[Pose] = field(default_factory=list)

    def begin_with(self, kind: ObjectKind) -> None:
        """Put this object there first, or right after someone who wears or holds it."""
        scene = self.backdrop.scene
        while not any(pose.name == kind.name for pose in self.poses):
            self.poses.clear()
            zones = possible_zones(kind, scene, ())
            if not zones:  # it can only be worn or held
                hosts = hosts_for(kind, scene, self.objects)
                host = hosts[int(self.rng.integers(len(hosts)))]
                self._put(host, possible_zones(host, scene, ()))
                zones = [zone for zone in possible_zones(kind, scene, self.poses) if zone in CARRIED]
            if zones:
                self._put(kind, zones)

    def add_one(self) -> bool:
        """Put one more thing there; whether a place was found."""
        return any(self._put(*self._choose()) for _ in range(ATTEMPTS))

    def _choose(self) -> Choice:
        choices = list(self._choices())
        carried = [(kind, [zone for zone in zones if zone in CARRIED]) for kind, zones in choices]
        carried = [(kind, zones) for kind, zones in carried if zones]
        if carried and self.rng.random() < CARRY_SHARE:
            return _draw_weighted(carried, [1 / len(kind.zones) for kind, _ in carried], self.rng)
        return _draw_weighted(choices, [_weight(kind) for kind, _ in choices], self.rng)

    def _choices(self) -> Iterator[Choice]:
        there = {pose.name for pose in self.poses}
        for kind in self.objects:
            if kind.name not in there and is_allowed(kind.name, self.backdrop.scene, self.pairs):
                zones = possible_zones(kind, self.backdrop.scene, self.poses)
                if zones:
                    yield kind, zones

    def _put(self, kind: ObjectKind, zones: Sequence[Zone]) -> bool:
        """Put the object in one of the zones; whether a place was found where all things can be seen."""
        for _ in range(ATTEMPTS):
            zone = zones[int(self.rng.integers(len(zones)))]
            pose = pose_thing(kind, zone, self.backdrop, self.poses, self.sprites, self.rng)
            if pose and self._all_seen([*self.poses, pose]):
                self.poses.append(pose)
                return True
        return False

    def _all_seen(self, poses: Sequence[Pose]) -> bool:
        if len(poses) == 1:
            return True
        masks = visible_masks(poses, self.backdrop.light, self.sprites)
        return all(share >= LEAST_VISIBLE for _, share in masks)


def hosts_for(kind: ObjectKind, scene: str, objects: Sequence[ObjectKind]) -> list[ObjectKind]:
    """Objects that may be in the scene while training and could wear or hold this one."""
    probes = [(host, Pose(host.name, Zone.GROUND, (0, 0, 1, 1), "", "")) for host in objects]
    return [
        host
        for host, probe in probes
        if is_allowed(host.name, scene, "trained")
        and possible_zones(host, scene, ())
        and CARRIED.intersection(possible_zones(kind, scene, (probe,)))
    ]


def is_allowed(name: str, scene: str, pairs: Pairs) -> bool:
    """Whether the object may be in the scene."""
    return pairs == "any" or ((name, scene) in HELD_OUT_PAIRS) == (pairs == "held_out")


def _weight(kind: ObjectKind) -> float:
    """How often an object comes: evenly over all scenes; who can carry something twice as often."""
    return (2 if kind.name in HOSTS else 1) / SCENE_COUNTS[kind.name]


def _draw_weighted(choices: Sequence[Choice], weights: Sequence[float], rng: Rng) -> Choice:
    shares = np.array(weights)
    return choices[int(rng.choice(len(choices), p=shares / shares.sum()))]
