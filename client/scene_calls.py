"""The API's scenes as values, as in `calls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from api_schemas.jobs import InsertionJob
from api_schemas.scenes import HeadRequest, Scene, SceneInsertionRequest, SceneList, SceneRequest
from client.calls import Call, once, read_job, submission

SCENES = "/v1/scenes"


def begin(request: SceneRequest) -> Call[Scene]:
    """A new scene."""
    return _post(SCENES, request.model_dump_json(), once())


def scenes(limit: int = 20, cursor: str | None = None) -> Call[SceneList]:
    """A page of the own scenes, newest first."""
    params: dict[str, Any] = {"limit": limit} | ({"cursor": cursor} if cursor else {})
    return Call("GET", SCENES, lambda it: SceneList.model_validate_json(it.content), {"params": params})


def scene(scene_id: str) -> Call[Scene]:
    """A scene with all of its steps."""
    return Call("GET", f"{SCENES}/{scene_id}", _scene)


def add(scene_id: str, asked: Mapping[str, Any], idempotency_key: str | None = None) -> Call[InsertionJob]:
    """A step upon the head, or the one that is named. asked: fields of a `SceneInsertionRequest`."""
    request = SceneInsertionRequest.model_validate(asked).model_dump(mode="json", exclude_unset=True)
    return submission(f"{SCENES}/{scene_id}/insertions", request, read_job, idempotency_key)


def undo(scene_id: str) -> Call[Scene]:
    """Back one step."""
    return Call("POST", f"{SCENES}/{scene_id}/undo", _scene)


def choose_head(scene_id: str, step: str, seed: int | None = None) -> Call[Scene]:
    """Redo, or another branch."""
    return _post(f"{SCENES}/{scene_id}/head", HeadRequest(step=step, seed=seed).model_dump_json())


def delete(scene_id: str) -> Call[None]:
    """Purges the scene with all of its steps."""
    return Call("DELETE", f"{SCENES}/{scene_id}", lambda _: None)


def _post(path: str, body: str, headers: Mapping[str, str] | None = None) -> Call[Scene]:
    told = {"Content-Type": "application/json", **(headers or {})}
    return Call("POST", path, _scene, {"content": body, "headers": told})


def _scene(answer: httpx.Response) -> Scene:
    return Scene.model_validate_json(answer.content)
