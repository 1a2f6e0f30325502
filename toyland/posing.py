"""Choosing how and where one thing is: its size, its colour, its place."""

from collections.abc import Sequence
from pathlib import Path

from toyland.backdrop import Backdrop
from toyland.belonging import standing_zones
from toyland.hosts import GRIPS, can_carry
from toyland.objects import ObjectKind
from toyland.paint import Rng
from toyland.placement import (
    BIG_SIZES,
    CARRIED_SIZES,
    SMALL_SIZES,
    SMALLEST,
    USUAL_SIZES,
    Pose,
    carried_box,
    draw_foot,
    find_box,
    in_picture,
    is_free,
    longest_side,
)
from toyland.sprites import sprite_size
from toyland.zones import CARRIED, HANGING, Zone

SMALL_SHARE, BIG_SHARE = 0.09, 0.09
TOLD_SHARE = 0.7  # of colours and sizes may be told by a caption
NEXT_TO = 0.4  # of the mean width of two things may lie between them
NEXT_TO_ROWS = 14  # rows between the feet of neighbours


def possible_zones(kind: ObjectKind, scene: str, poses: Sequence[Pose]) -> list[Zone]:
    """Where the object may be in the scene: in its zones, or carried by a thing that is there and free."""
    carried = [zone for zone in kind.zones if zone in CARRIED and free_hosts(kind.name, zone, poses)]
    return standing_zones(kind, scene) + carried


def free_hosts(name: str, zone: Zone, poses: Sequence[Pose]) -> list[int]:
    """Indices of the things that could wear or hold the object."""
    if zone is Zone.HAND and name not in GRIPS:
        return []
    busy = {pose.host for pose in poses if pose.zone is zone}
    return [i for i, pose in enumerate(poses) if can_carry(pose.name, zone) and i not in busy]


def others_than(host: int, poses: Sequence[Pose]) -> list[Pose]:
    """All things but this one and what it carries."""
    return [pose for i, pose in enumerate(poses) if i != host and pose.host != host]


def pose_thing(
    kind: ObjectKind, zone: Zone, backdrop: Backdrop, poses: Sequence[Pose], sprites: Path, rng: Rng
) -> Pose | None:
    """One try to place the object in the zone."""
    colour = kind.colours[int(rng.integers(len(kind.colours)))] if kind.colours else ""
    factor, size_word = _draw_size(rng) if zone not in CARRIED else (float(rng.uniform(*CARRIED_SIZES)), "")
    words = (size_word or colour) if rng.random() < TOLD_SHARE else ""
    if zone in CARRIED:
        return _pose_carried(kind, zone, backdrop, poses, sprites, (colour, words, factor), rng)
    band = backdrop.zones[zone]
    tallest = sprite_size(sprites, kind.name, longest_side(kind, band, band.bottom, factor))[1]
    foot = draw_foot(zone, band, tallest, rng)
    longest = longest_side(kind, band, foot, factor)
    if longest < SMALLEST:
        return None
    size = sprite_size(sprites, kind.name, longest)
    box = find_box(size, zone, band, foot, rng)
    if box is None or not is_free(box, zone, poses):
        return None
    return Pose(kind.name, zone, box, colour, words)


def next_to(poses: Sequence[Pose], index: int) -> int | None:
    """The one that carries the thing, or else an earlier one that it stands next to."""
    pose = poses[index]
    if pose.host is not None:
        return pose.host
    return next((i for i, other in enumerate(poses[:index]) if _are_neighbours(pose, other)), None)


def _are_neighbours(pose: Pose, other: Pose) -> bool:
    if pose.zone is not other.zone or pose.zone in HANGING | CARRIED:
        return False
    gap = max(pose.box[0], other.box[0]) - min(pose.box[2], other.box[2])
    mean_width = (pose.box[2] - pose.box[0] + other.box[2] - other.box[0]) / 2
    return abs(pose.foot - other.foot) <= NEXT_TO_ROWS and gap <= NEXT_TO * mean_width


def _pose_carried(
    kind: ObjectKind,
    zone: Zone,
    backdrop: Backdrop,
    poses: Sequence[Pose],
    sprites: Path,
    look: tuple[str, str, float],
    rng: Rng,
) -> Pose | None:
    hosts = free_hosts(kind.name, zone, poses)
    host = hosts[int(rng.integers(len(hosts)))]
    bearer = poses[host]
    width, height = sprite_size(sprites, kind.name, 100)
    colour, words, factor = look
    usual = kind.size * backdrop.zones[bearer.zone].scale(bearer.foot)
    box = carried_box(kind.name, zone, bearer, height / width, factor, usual)
    if not in_picture(box) or not is_free(box, zone, others_than(host, poses)):
        return None
    return Pose(kind.name, zone, box, colour, words, host)


def _draw_size(rng: Rng) -> tuple[float, str]:
    """A factor of the usual size, and what it is called if it is unusual."""
    chance = rng.random()
    if chance < SMALL_SHARE:
        return float(rng.uniform(*SMALL_SIZES)), "small"
    if chance < SMALL_SHARE + BIG_SHARE:
        return float(rng.uniform(*BIG_SIZES)), "big"
    return float(rng.uniform(*USUAL_SIZES)), ""
