"""Scenes: a picture that objects are added to one after the other, with undo and branches."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal

from pydantic import Field, create_model

from api_schemas.base import RequestModel, ResponseModel, Timestamp
from api_schemas.insertions import FirstSource, InsertionRequest, Prompt, SceneSource, Seed
from api_schemas.jobs import JobStatus

FIRST = "first"
"""Names a scene's first picture among its steps."""


class SceneRequest(RequestModel):
    """A new scene."""

    source: FirstSource = Field(description="What it begins with.")
    retain_seconds: int = Field(
        default=604_800,
        ge=60,
        le=2_592_000,
        description="How long it is kept after its latest step, with all of its steps.",
    )
    metadata: dict[str, Any] = Field(default={}, max_length=32, description="Yours; given back as it came.")


_FIELDS: dict[str, Any] = {
    name: (field.annotation, deepcopy(field))
    for name, field in InsertionRequest.model_fields.items()
    if name != "source"
}
_OF_A_SCENE = SceneSource.model_fields
SceneInsertionRequest: type[RequestModel] = create_model(
    "SceneInsertionRequest",
    __base__=RequestModel,
    __doc__="An `InsertionRequest` without `source`: it adds to a step of the scene. Scenes are built of "
    "edits with a strict background, and their pictures are PNG. It is kept as long as its scene.",
    **_FIELDS,
    step=(str | None, deepcopy(_OF_A_SCENE["step"])),
    seed=(Seed | None, deepcopy(_OF_A_SCENE["seed"])),
    source_prompt=(Prompt | None, deepcopy(_OF_A_SCENE["prompt"])),
)
"""Made from `InsertionRequest`, so that a scene can be given whatever that can ask for."""
OF_THE_SOURCE = {"step": "step", "seed": "seed", "source_prompt": "prompt"}
"""Fields of a `SceneInsertionRequest` by what a `SceneSource` calls them."""


def upon(scene_id: str, asked: RequestModel) -> InsertionRequest:
    """What a `SceneInsertionRequest` asks of a scene."""
    source = {ours: getattr(asked, theirs) for theirs, ours in OF_THE_SOURCE.items()}
    rest = {name: getattr(asked, name) for name in asked.model_fields_set - OF_THE_SOURCE.keys()}
    return InsertionRequest.model_validate({"source": SceneSource(scene_id=scene_id, **source), **rest})


class HeadRequest(RequestModel):
    """Which step the next insertion builds upon: redo, or another branch."""

    step: str = Field(max_length=64, description="An insertion of the scene, or `first`.")
    seed: Seed | None = Field(default=None, description="Which variation of it; the surest by default.")


class SceneImage(ResponseModel):
    """A variation of a step."""

    id: str = Field(description="`img_…`.")
    seed: int = Field(description="Its seed.")
    url: str = Field(description="The picture, a signed link.")
    cutout_url: str | None = Field(description="What was added, alone on transparency: a layer.")
    mask_url: str | None = Field(description="Where that is, white on black.")
    subject_found: bool = Field(description="Whether every subject was located in the picture.")
    rank: int | None = Field(description="Among the variations; 1 is the surest.")


class SceneStep(ResponseModel):
    """An insertion of a scene."""

    id: str = Field(description="Of the insertion: `ins_…`.")
    parent: str = Field(description="The step it builds upon, or `first`.")
    parent_seed: int | None = Field(description="Of the variation of that step; null for the first picture.")
    status: JobStatus | Literal["deleted"] = Field(
        description="As the insertion's; deleted where that was removed by itself."
    )
    prompt: str | None = Field(default=None, description="What it was to show.")
    subject: str | list[str] | None = Field(default=None, description="What was added.")
    images: list[SceneImage] = Field(default=[], description="Its variations.")


class SceneHead(ResponseModel):
    """Where a scene stands."""

    step: str = Field(
        description="What the next insertion builds upon: a step that did not fail, or `first`."
    )
    seed: int | None = Field(
        description="Of its variation; null for the first picture and before it is made."
    )
    image_id: str | None = Field(description="Of its picture, where there is one yet.")
    url: str | None = Field(description="Its picture, a signed link.")


class Scene(ResponseModel):
    """A picture that grows step by step."""

    id: str = Field(description="`scn_…`.")
    object: Literal["scene"] = Field(default="scene", description="What this is.")
    created_at: Timestamp = Field(description="When it was begun.")
    updated_at: Timestamp = Field(description="When it was last added to, or its head moved.")
    expires_at: Timestamp = Field(description="When it goes, with its steps, unless it is added to before.")
    source: FirstSource = Field(description="What it begins with.")
    image_id: str | None = Field(description="Of its first picture; null where that is generated.")
    url: str | None = Field(description="Its first picture, a signed link.")
    head: SceneHead = Field(description="Where it stands.")
    history: list[str] = Field(description="The steps from the first picture to the head, in order.")
    steps: list[SceneStep] = Field(description="All of them, undone ones and branches too, as submitted.")
    metadata: dict[str, Any] = Field(description="Yours, as it came.")


class SceneList(ResponseModel):
    """A page of a tenant's scenes, newest first."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[Scene] = Field(description="The scenes.")
    next_cursor: str | None = Field(default=None, description="`cursor` of the next page; null on the last.")
