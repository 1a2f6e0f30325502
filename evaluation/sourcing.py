"""An item's source as the methods get it: at a size the base works on, or drawn by it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluation.methods.method import Workbench
from evaluation.suites.items import Item
from toyland.score.drawings import draw
from toyland.score.ledger import key_of
from toyland.score.made import Made, make_once
from toyland.score.versions import digest_folder
from workers.addit.boxes import Box
from workers.addit.localizers import Picture
from workers.compositing import working_size

MULTIPLE = 16
"""Of both sides, for every family that is served."""


@dataclass(frozen=True)
class Sourced:
    """picture: (H, W, 3); boxes, region: plausible places in its pixels"""

    picture: Picture
    boxes: tuple[Box, ...]
    region: NDArray[np.bool_] | None

    @property
    def digest(self) -> str:
        """Of the picture."""
        return hashlib.sha256(np.ascontiguousarray(self.picture).tobytes()).hexdigest()[:16]

    @property
    def places(self) -> str:
        """A digest of where the subject may be."""
        region = b"" if self.region is None else np.packbits(self.region).tobytes()
        return hashlib.sha256(repr(self.boxes).encode() + region).hexdigest()[:16]


def source_of(bench: Workbench, item: Item, seed: int, folder: Path) -> Sourced:
    """A picture is brought to the base's size with all that is known of it; what is told is drawn from noise
    `seed` once, the same for all methods, and kept in the folder."""
    picture = item.open_picture()
    if picture is None:
        side = bench.profile.native_side
        key = key_of("source", item.source_prompt, seed, side, model_name(bench))
        made = make_once(folder, key, lambda: Made(draw(bench.models, item.source_prompt, seed, side)))
        return Sourced(made.picture, (), None)
    profile, (height, width) = bench.profile, picture.shape[:2]
    limits = (profile.min_pixels, profile.max_pixels, profile.max_aspect)
    size = working_size(width, height, MULTIPLE, *limits)
    return _resized(Sourced(picture, item.boxes, item.open_region()), size)


def model_name(bench: Workbench) -> str:
    """Of the base: its profile and its weights; of those in a directory a digest, whose name stays as they
    change."""
    profile = bench.profile
    places = [profile.place, *([profile.segmenter.checkpoint] if profile.segmenter else [])]
    local = [Path(place) for place in places if Path(place).exists()]
    digests = [_digest(place if place.is_dir() else place.parent)[:8] for place in local]
    return " ".join([profile.name, Path(profile.place).name, *digests])


@cache
def _digest(folder: Path) -> str:
    return digest_folder(folder)


def _resized(source: Sourced, size: tuple[int, int]) -> Sourced:
    """To `size` (width, height)."""
    height, width = source.picture.shape[:2]
    if size == (width, height):
        return source
    across, down = size[0] / width, size[1] / height
    boxes = tuple((a * across, b * down, c * across, d * down) for a, b, c, d in source.boxes)
    region = None
    if source.region is not None:
        region = _at_size(source.region, size, Image.Resampling.NEAREST)
    return Sourced(_at_size(source.picture, size, Image.Resampling.LANCZOS), boxes, region)


def _at_size(picture: Any, size: tuple[int, int], resampling: Image.Resampling) -> Any:
    return np.array(Image.fromarray(picture).resize(size, resampling))
