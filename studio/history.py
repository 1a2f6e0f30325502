"""A scene's steps as a strip of pictures: where it stands, what branches off where."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from PIL import Image

from api_schemas.scenes import FIRST, Scene, SceneImage, SceneStep
from api_schemas.subjects import as_tuple
from client.async_client import AsyncAddit
from studio.results import fetch

KEPT = 256  # thumbnails
SIDE = 192  # pixels


@dataclass(frozen=True)
class Stop:
    """One picture of the strip. step: an insertion's id or `first`; seed: of its variation; kept_as: what no
    other picture is called"""

    step: str
    seed: int | None
    link: str
    kept_as: str
    caption: str


class Thumbnails:
    """Small pictures by name; a picture never changes under its name. The least lately used go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Image.Image] = OrderedDict()

    async def get(self, addit: AsyncAddit, name: str, link: str) -> Image.Image:
        """The picture, at most SIDE pixels wide and high."""
        if name not in self._kept:
            picture = (await fetch(addit, link)).convert("RGB")
            picture.thumbnail((SIDE, SIDE))
            self._kept[name] = picture
        self._kept.move_to_end(name)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[name]


def stops(scene: Scene) -> list[Stop]:
    """The first picture and every step that has one, as they were submitted."""
    name = scene.image_id or f"{scene.id} {FIRST}"  # a generated picture has no id
    found = [Stop(FIRST, None, scene.url, name, _first(scene))] if scene.url else []
    order = {step.id: number for number, step in enumerate(scene.steps, 1)}
    for step in scene.steps:
        if (image := chosen(scene, step)) is not None:
            found.append(Stop(step.id, image.seed, image.url, image.id, _told(scene, step, order)))
    return found


def chosen(scene: Scene, step: SceneStep) -> SceneImage | None:
    """The variation that the scene goes on with, or the surest; None where there is none."""
    wanted = {one.parent_seed for one in scene.steps if one.parent == step.id}
    if scene.head.step == step.id:
        wanted = {scene.head.seed}
    built = [image for image in step.images if image.seed in wanted]
    best = sorted(step.images, key=lambda image: image.rank or len(step.images))
    return next(iter(built or best), None)


def here(scene: Scene) -> str:
    """What the next object is added to, in words."""
    if scene.head.step == FIRST:
        return "The next object goes into the first picture."
    order = {step.id: number for number, step in enumerate(scene.steps, 1)}
    step = next(step for step in scene.steps if step.id == scene.head.step)
    return f"The next object goes into step {order[step.id]}, with {_thing(step)}."


async def strip(addit: AsyncAddit, scene: Scene, thumbnails: Thumbnails) -> list[tuple[Image.Image, str]]:
    """The strip's pictures with their captions. Raises ClientError."""
    wanted = stops(scene)
    pictures = await asyncio.gather(*(thumbnails.get(addit, one.kept_as, one.link) for one in wanted))
    return list(zip(pictures, (one.caption for one in wanted), strict=True))


def _first(scene: Scene) -> str:
    return _marked("0 · start", scene.head.step == FIRST)


def _told(scene: Scene, step: SceneStep, order: dict[str, int]) -> str:
    number = order[step.id]
    before = order.get(step.parent, 0)
    branch = f" (on {before})" if before != number - 1 else ""
    return _marked(f"{number} · {_thing(step)}{branch}", scene.head.step == step.id)


def _marked(caption: str, standing: bool) -> str:
    return f"▸ {caption}" if standing else caption


def _thing(step: SceneStep) -> str:
    return ", ".join(as_tuple(step.subject)) or "an object"
