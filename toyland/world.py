"""The world: a scene, up to three things where they belong, and what a picture of it is called.

Everything about a sample follows from its seed and index, so any sample of any set can be drawn alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from toyland.backdrop import Backdrop
from toyland.captions import caption
from toyland.indoors import bedroom, room
from toyland.objects import OBJECTS, ObjectKind
from toyland.outdoors import beach, lake, meadow, snowy_field, street
from toyland.paint import Rng
from toyland.placement import Box, Mask, PlacedObject, find_place, paste_object
from toyland.sprites import draw_sprite
from toyland.zones import Band, Zone

Painter = Callable[[Rng], Backdrop]

SCENES: Mapping[str, Painter] = {
    "beach": beach,
    "lake": lake,
    "meadow": meadow,
    "snowy field": snowy_field,
    "street": street,
    "room": room,
    "bedroom": bedroom,
}
COUNT_SHARES = (0.12, 0.43, 0.33, 0.12)  # how often none, one, two and three things are tried
PLACE_ATTEMPTS = 20

TRAIN_SEED = 1
HELD_OUT_SEED = 2


@dataclass(frozen=True)
class Sample:
    """One picture of the world (RGB, H x W) with everything that is known about it."""

    picture: Image.Image
    caption: str
    scene: str
    placed: tuple[PlacedObject, ...]
    zones: Mapping[Zone, Band]

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


@dataclass(frozen=True)
class World:
    """Scenes and objects one can draw from. `sprites` is the folder of the objects' pictures."""

    sprites: Path
    scenes: Mapping[str, Painter]
    objects: tuple[ObjectKind, ...]

    def draw(self, seed: int, index: int, scene: str | None = None, count: int | None = None) -> Sample:
        """The sample number `index` of the set `seed`; scene and number of things may be prescribed."""
        rng = np.random.default_rng((seed, index))
        name = scene or list(self.scenes)[rng.integers(len(self.scenes))]
        backdrop = self.scenes[name](rng)
        count = int(rng.choice(len(COUNT_SHARES), p=COUNT_SHARES)) if count is None else count
        picture, placed = backdrop.picture.copy(), list[PlacedObject]()
        for _ in range(count):
            thing = self._put_something(picture, backdrop.zones, placed, rng)
            placed.extend([thing] if thing else [])
        text = caption(name, [(thing.name, thing.zone) for thing in placed], rng)
        return Sample(picture, text, name, tuple(placed), backdrop.zones)

    def candidates(self, zones: Mapping[Zone, Band]) -> list[tuple[ObjectKind, Zone]]:
        """Every object with every zone of the scene it belongs to."""
        return [(kind, zone) for kind in self.objects for zone in kind.zones if zone in zones]

    def _put_something(
        self, picture: Image.Image, zones: Mapping[Zone, Band], placed: list[PlacedObject], rng: Rng
    ) -> PlacedObject | None:
        """Add a random thing that is not there yet; nothing when no place is found for it."""
        candidates = self.candidates(zones)
        kind, zone = candidates[rng.integers(len(candidates))]
        if any(thing.name == kind.name for thing in placed):
            return None
        return self.put(picture, kind, zone, zones[zone], [thing.box for thing in placed], rng)

    def put(
        self, picture: Image.Image, kind: ObjectKind, zone: Zone, band: Band, taken: list[Box], rng: Rng
    ) -> PlacedObject | None:
        """Draw an object into the picture at a free place of the band, if one is found."""
        for _ in range(PLACE_ATTEMPTS):
            longest = int(rng.integers(kind.smallest, kind.largest + 1))
            sprite = draw_sprite(self.sprites, kind, longest, mirrored=bool(rng.random() < 0.5))
            box = find_place(*sprite.size, zone, band, taken, rng)
            if box:
                return PlacedObject(kind.name, zone, box, paste_object(picture, sprite, zone, box))
        return None


def small_world(sprites: Path) -> World:
    """The shipped world: 128-pixel pictures, seven scenes, forty-two objects."""
    return World(sprites, SCENES, OBJECTS)
