"""What one visitor has before them: the scene, the job looked at, its results. Nothing here is shared."""

from __future__ import annotations

from dataclasses import dataclass, replace

from api_schemas.insertions import GeneratedSource, ImageRef, ImageSource
from api_schemas.jobs import InsertionJob
from api_schemas.scenes import Scene, SceneRequest
from client.async_client import AsyncAddit
from studio.results import Shown, result_of


@dataclass(frozen=True)
class Ground:
    """What a scene begins with. picture: path of a file; words: of a scene to be made, with its seed"""

    picture: str | None
    words: str = ""
    seed: int = 0

    @property
    def is_given(self) -> bool:
        """Whether there is anything to begin with."""
        return bool(self.picture or self.words.strip())


@dataclass(frozen=True)
class Desk:
    """job: the one looked at, with its results, of which one is chosen; compared: jobs side by side"""

    key: str = ""
    ground: Ground | None = None
    scene: Scene | None = None
    job: InsertionJob | None = None
    shown: tuple[Shown, ...] = ()
    chosen: int = 0
    compared: tuple[tuple[InsertionJob, Shown], ...] = ()

    def stands_on(self, ground: Ground) -> bool:
        """Whether the next object goes into the present scene: nothing else was given to begin with."""
        return self.scene is not None and (ground == self.ground or not ground.is_given)

    @property
    def look(self) -> Shown | None:
        """The chosen result."""
        return self.shown[self.chosen] if self.shown else None

    def with_results(self, job: InsertionJob, shown: tuple[Shown, ...], seed: int | None = None) -> Desk:
        """The desk with another job's results. seed: of the one to look at, the surest by default"""
        chosen = next((index for index, one in enumerate(shown) if one.told.seed == seed), 0)
        return replace(self, job=job, shown=shown, chosen=chosen)


async def grounded(desk: Desk, addit: AsyncAddit, ground: Ground, source_prompt: str | None) -> Desk:
    """The desk with a scene on this ground: the present one, or a new one. Raises ClientError."""
    if desk.stands_on(ground):
        return desk
    scene = await addit.scenes.begin(SceneRequest(source=await _source(addit, ground, source_prompt)))
    return Desk(key=desk.key, ground=ground, scene=scene)


async def continued(desk: Desk, addit: AsyncAddit) -> Desk:
    """The desk whose scene goes on from the chosen result: its step, or a scene of its own for a result that
    is none. Raises ClientError."""
    assert desk.job is not None
    assert desk.look is not None
    if desk.job.scene_id is not None:
        head = await addit.scenes.choose_head(desk.job.scene_id, desk.job.id, desk.look.told.seed)
        return replace(desk, scene=head)
    inferred = result_of(desk.job).inferred
    prompt = inferred.prompt if inferred else desk.job.request.prompt
    source = ImageSource(image=ImageRef(id=desk.look.told.id), prompt=prompt)
    return replace(desk, scene=await addit.scenes.begin(SceneRequest(source=source)))


async def _source(
    addit: AsyncAddit, ground: Ground, source_prompt: str | None
) -> ImageSource | GeneratedSource:
    if ground.picture is None:
        return GeneratedSource(prompt=ground.words.strip(), seed=ground.seed)
    with open(ground.picture, "rb") as file:
        image = await addit.upload(file.read(), ground.picture)
    return ImageSource(image=ImageRef(id=image.id), prompt=source_prompt)
