"""Drawing things into a scene, from back to front, with their shadows, wakes and reflections."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from toyland.backdrop import Backdrop
from toyland.hosts import BEHIND
from toyland.light import Light
from toyland.paint import SIZE, paste_spot
from toyland.placement import Mask, Pose
from toyland.sprites import draw_sprite
from toyland.zones import CARRIED, HANGING, Zone

SHADOW, FOAM = (24, 22, 44), (232, 244, 250)


def back_to_front(poses: Sequence[Pose]) -> list[int]:
    """Indices in the order of drawing: sky and walls, then by foot; carried things with their bearers."""

    def depth(index: int) -> tuple[int, int, int]:
        pose = poses[index]
        bearer = poses[pose.host] if pose.zone in CARRIED and pose.host is not None else pose
        order = 0 if bearer is pose else -1 if pose.name in BEHIND else 1
        return (0 if bearer.zone in HANGING else 1, bearer.foot, order)

    return sorted(range(len(poses)), key=depth)


def draw_things(backdrop: Backdrop, poses: Sequence[Pose], sprites: Path) -> Image.Image:
    """The scene with all things."""
    picture = backdrop.picture.copy()
    for index in back_to_front(poses):
        pose = poses[index]
        sprite = sprite_of(pose, backdrop.light, sprites)
        if pose.zone is Zone.WATER:
            _draw_reflection(picture, sprite, pose)
        elif pose.zone not in HANGING | CARRIED:
            _draw_shadow(picture, pose, backdrop.light)
        picture.paste(sprite, pose.box[:2], sprite)
        if pose.zone is Zone.WATER:
            _draw_wake(picture, pose)
    return picture


def visible_masks(poses: Sequence[Pose], light: Light, sprites: Path) -> list[tuple[Mask, float]]:
    """Each thing's visible pixels (H, W), and the share of its pixels that they are."""
    hidden = np.zeros((SIZE, SIZE), np.bool_)
    found: dict[int, tuple[Mask, float]] = {}
    for index in reversed(back_to_front(poses)):
        left, top, right, bottom = poses[index].box
        opaque = np.asarray(sprite_of(poses[index], light, sprites).getchannel("A")) > 127
        before = hidden[top:bottom, left:right]
        mask = np.zeros((SIZE, SIZE), np.bool_)
        mask[top:bottom, left:right] = opaque & ~before
        found[index] = mask, float(mask.sum() / max(1, opaque.sum()))
        hidden[top:bottom, left:right] = before | opaque
    return [found[index] for index in range(len(poses))]


def sprite_of(pose: Pose, light: Light, sprites: Path) -> Image.Image:
    """The thing as RGBA of its box's size."""
    size = (pose.box[2] - pose.box[0], pose.box[3] - pose.box[1])
    return draw_sprite(sprites, pose.name, pose.colour, light.thing_tint, size)


def _draw_shadow(picture: Image.Image, pose: Pose, light: Light) -> None:
    """A soft one that leans away from the light, and a dark one where the thing touches."""
    left, _, right, bottom = pose.box
    width = right - left
    high = max(9.0, 0.20 * width)
    lean = light.side * 0.16 * width
    middle = (left + right) / 2
    soft = (
        middle + lean - 0.78 * width,
        bottom - 0.68 * high,
        middle + lean + 0.78 * width,
        bottom + 0.62 * high,
    )
    paste_spot(picture, soft, SHADOW, light.shadow * 0.75)
    tight = (middle - 0.62 * width, bottom - 0.55 * high, middle + 0.62 * width, bottom + 0.30 * high)
    paste_spot(picture, tight, SHADOW, light.shadow * 0.8)


def _draw_reflection(picture: Image.Image, sprite: Image.Image, pose: Pose) -> None:
    width, height = sprite.size
    part = max(4, height // 2)
    mirrored = sprite.crop((0, height - part, width, height)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    mirrored = mirrored.resize((width, max(3, part * 2 // 3)), Image.Resampling.BILINEAR)
    fading = np.asarray(mirrored.getchannel("A")) * np.linspace(0.42, 0.05, mirrored.height)[:, None]
    left, _, _, bottom = pose.box
    picture.paste(mirrored.convert("RGB"), (left, bottom - 2), Image.fromarray(fading.astype(np.uint8)))


def _draw_wake(picture: Image.Image, pose: Pose) -> None:
    left, _, right, bottom = pose.box
    reach = 0.2 * (right - left)
    paste_spot(picture, (left - reach, bottom - 7, right + reach, bottom + 6), FOAM, 0.55)
