"""A scene built edit by edit: each continues the last one's latents, so nothing is encoded ten times.

A scene is a value that knows its parent: undoing is going back, branching is editing any scene twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image
from torch import Tensor

from workers.addit.edits import Edit, PictureSource
from workers.addit.errors import UnsupportedOption
from workers.addit.localizers import Picture
from workers.addit.masks import resize
from workers.addit.results import Insertion
from workers.compositing import composite, cut_out
from workers.found import united
from workers.own_pixels import own_pixels


@dataclass(frozen=True)
class Layer:
    """What one edit added. cutout: RGBA of the scene's size, transparent but for the subjects."""

    subjects: tuple[str, ...]
    seed: int
    cutout: Image.Image


@dataclass(frozen=True)
class Scene:
    """A picture (H, W, 3), what it shows, and how it came about.

    latents: (1, L, C) clean tokens, None for a picture that was never worked on
    layer: what the last edit added, None for the first scene
    """

    picture: Picture
    prompt: str
    latents: Tensor | None = None
    parent: Scene | None = None
    layer: Layer | None = None

    def source(self, seed: int = 0) -> PictureSource:
        """The scene as the source of the next edit."""
        return PictureSource(self.picture, self.prompt, seed, self.latents)

    def added(self, edit: Edit, done: Insertion, row: int = 0) -> Scene:
        """The scene with variation `row` of an edit of `source()`.

        Only edits with a strict background can be built upon: every pixel and every latent outside the
        subject is then exactly what it was. Raises `UnsupportedOption` for others, and where nothing was
        blended.
        """
        if done.cells is None or done.located is None or not edit.config.strict_background:
            raise UnsupportedOption("a scene is built of edits with a strict background")
        height, width = self.picture.shape[:2]
        before, after = Image.fromarray(self.picture), Image.fromarray(done.pictures[row])
        picture = composite(before, after, own_pixels(done, row, edit.config, (width, height)))
        mask = united(
            [
                Image.fromarray(np.uint8(255) * (resize(one.mask, height, width).numpy() > 0.5))
                for one in done.located[row]
            ]
        )
        layer = Layer(edit.subjects, done.seeds[row], cut_out(picture, mask))
        return Scene(np.asarray(picture), edit.prompt, done.latents[row : row + 1], self, layer)

    @property
    def undone(self) -> Scene:
        """The scene before the last edit; the first scene stays itself."""
        return self.parent or self

    @property
    def history(self) -> tuple[Scene, ...]:
        """All scenes on the way here, the first one first."""
        return (*reversed(tuple(self._backwards())),)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What was added, in order."""
        return tuple(scene.layer for scene in self.history if scene.layer is not None)

    def _backwards(self) -> Iterator[Scene]:
        scene: Scene | None = self
        while scene is not None:
            yield scene
            scene = scene.parent
